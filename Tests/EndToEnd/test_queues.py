"""Queues as users of boto3 and of aws sqs know them, and the functions that are given their jobs."""
import json
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from kelvin_host import poll, python_function, request

FUNCTIONS = {
    "mailer": python_function("queue_jobs.handler", timeout="1s", reserved=4),
    "strict": python_function("queue_jobs.handler", timeout="5s"),
    "paused": python_function("queue_jobs.handler", reserved=0),
    "other": python_function(),
    "collector": python_function("queue_jobs.echo"),
}
QUEUES = {
    "mail.fifo": {"function": "mailer", "maximumReceives": 3, "batch": 1},
    "batches.fifo": {"function": "strict", "maximumReceives": 3},
    "plain": {"function": "strict", "batch": 10, "maximumReceives": 2, "reportBatchItemFailures": True},
    "later": {"function": "strict", "retryDelay": "1s"},
    "held": {"function": "paused"},
    "free": {"visibilityTimeout": "2s"},
}


def sqs_client(host):
    return boto3.client(
        "sqs", endpoint_url=f"http://{host.host}", region_name="us-east-1", aws_access_key_id="test",
        aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}))


@pytest.fixture(scope="module")
def host(hosts):
    return hosts(FUNCTIONS, sections={"queues": QUEUES}).start()


@pytest.fixture(scope="module")
def sqs(host):
    return sqs_client(host)


@pytest.fixture
def made(sqs):
    """Makes a queue with a name that no other test has."""
    def make(suffix="", **attributes):
        if suffix:
            attributes["FifoQueue"] = "true"
        return sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:12]}{suffix}", Attributes=attributes)["QueueUrl"]

    return make


def url(sqs, name):
    return sqs.get_queue_url(QueueName=name)["QueueUrl"]


def arn(sqs, address):
    return sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def told(host, function, jobs):
    """What a function said of these jobs, in order of time."""
    log = Path(host.folder) / "data" / "logs" / f"{function}.log"
    lines = log.read_text().splitlines() if log.exists() else []
    found = [json.loads(line.split("job ", 1)[1]) for line in lines if "job {" in line]
    return sorted((line for line in found if line["job"] in jobs), key=lambda line: line["at"])


def wait_for_ends(host, function, jobs, count=None):
    def ends():
        lines = told(host, function, jobs)
        return lines if len([line for line in lines if line["event"] == "end"]) >= (count or len(jobs)) else None

    return poll(ends, 30, lambda: f"the jobs end: {told(host, function, jobs)}; {host.said()[-2000:]}")


def names(prefix, count):
    return [f"{prefix}{uuid.uuid4().hex[:6]}-{number}" for number in range(count)]


def send(sqs, address, job, group=None, **members):
    fifo = {} if group is None else {"MessageGroupId": group}
    return sqs.send_message(QueueUrl=address, MessageBody=json.dumps({"job": job, **members}), **fifo)


def count_of(sqs, address, name="ApproximateNumberOfMessages"):
    return int(sqs.get_queue_attributes(QueueUrl=address, AttributeNames=[name])["Attributes"][name])


def refused(call, code, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code, caught.value.response
    return caught.value.response["Error"]["Message"]


# The story


def test_jobs_of_a_group_run_in_order_while_another_group_runs_beside(host, sqs):
    address = url(sqs, "mail.fifo")
    ours, theirs = names("a", 3), names("b", 2)
    for job in ours:
        send(sqs, address, job, group="ours", ms=150)
    for job in theirs:
        send(sqs, address, job, group="theirs", ms=150)
    lines = wait_for_ends(host, "mailer", ours + theirs)
    mine = [(line["event"], line["job"]) for line in lines if line["job"] in ours]
    assert mine == [(event, job) for job in ours for event in ("start", "end")]
    beside = [line for line in lines if line["job"] in theirs]
    assert beside[0]["at"] < [line for line in lines if line["job"] == ours[-1]][0]["at"]


def test_a_job_that_its_function_gave_back_is_the_next_ones_alone(host, sqs):
    address = url(sqs, "batches.fifo")
    jobs = names("v", 2)
    send(sqs, address, jobs[0], group=jobs[0], ms=1500, show=1)
    begun = poll(lambda: told(host, "strict", jobs), 20, "it begins")[0]
    send(sqs, address, jobs[1], group=jobs[0])
    sqs.change_message_visibility(QueueUrl=address, ReceiptHandle=begun["record"]["receiptHandle"], VisibilityTimeout=0)
    lines = wait_for_ends(host, "strict", jobs, 3)
    # The first attempt's end took nothing from the second, behind which the group waited.
    assert [(line["event"], line["job"], line.get("receives")) for line in lines] == [
        ("start", jobs[0], 1), ("start", jobs[0], 2), ("end", jobs[0], None), ("end", jobs[0], None), ("start", jobs[1], 1),
        ("end", jobs[1], None)]


def test_a_job_that_times_out_is_back_first_and_runs_again(host, sqs):
    address = url(sqs, "mail.fifo")
    jobs = names("t", 2)
    send(sqs, address, jobs[0], group="timeouts", hang=1)
    send(sqs, address, jobs[1], group="timeouts")
    lines = wait_for_ends(host, "mailer", jobs)
    assert [(line["event"], line["job"], line.get("receives")) for line in lines] == [
        ("start", jobs[0], 1), ("start", jobs[0], 2), ("end", jobs[0], None), ("start", jobs[1], 1), ("end", jobs[1], None)]


def test_a_job_that_fails_too_often_is_a_dead_letter_and_comes_back_by_a_redrive(host, sqs):
    address, dead = url(sqs, "mail.fifo"), url(sqs, "mail-dlq.fifo")
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [address]
    jobs = names("d", 2)
    # As often as its maximum, and once after it has come back.
    send(sqs, address, jobs[0], group="poison", fail=4, show=True)
    send(sqs, address, jobs[1], group="poison")
    wait_for_ends(host, "mailer", jobs, count=1)
    poll(lambda: count_of(sqs, dead) == 1, 10, "the dead letter is there")
    poll(lambda: [line["receives"] for line in told(host, "mailer", jobs[:1])] == [1, 2, 3], 10, "it ran three times")
    message = sqs.receive_message(
        QueueUrl=dead, VisibilityTimeout=0, MessageSystemAttributeNames=["All"])["Messages"][0]
    assert json.loads(message["Body"])["job"] == jobs[0]
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == arn(sqs, address)
    assert message["Attributes"]["MessageGroupId"] == "poison"
    task = sqs.start_message_move_task(SourceArn=arn(sqs, dead))["TaskHandle"]
    assert task
    # Its receives begin anew, so that it fails three times again.
    poll(lambda: len(told(host, "mailer", jobs[:1])) == 6, 20, lambda: told(host, "mailer", jobs))
    poll(lambda: count_of(sqs, dead) == 1, 10, "the dead letter is there again")
    done = sqs.list_message_move_tasks(SourceArn=arn(sqs, dead))["Results"][0]
    assert (done["Status"], done["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    sqs.purge_queue(QueueUrl=dead)
    assert count_of(sqs, dead) == 0


def test_a_batch_with_partial_failures(host, sqs):
    jobs = names("p", 6)
    address = url(sqs, "batches.fifo")
    # One that takes a while, so that the others wait and come together.
    send(sqs, address, jobs[0], group="g", ms=300)
    for position, job in enumerate(jobs[1:]):
        send(sqs, address, job, group="g", **({"refuse": 1} if position == 2 else {}))
    lines = wait_for_ends(host, "strict", jobs, count=6)
    first = [line for line in lines if line["event"] == "start" and line["receives"] == 1]
    assert [line["job"] for line in first] == jobs
    # The refused one and those after it are given again, in order.
    again = [line["job"] for line in lines if line["event"] == "start" and line["receives"] == 2]
    assert again == jobs[3:]


def test_a_malformed_answer_fails_the_whole_batch(host, sqs):
    address, dead = url(sqs, "plain"), url(sqs, "plain-dlq")
    jobs = names("m", 1)
    send(sqs, address, jobs[0], answer={"batchItemFailures": [{"itemIdentifier": ""}]})
    poll(lambda: count_of(sqs, dead) == 1, 20, lambda: told(host, "strict", jobs))
    poll(lambda: [line["receives"] for line in told(host, "strict", jobs) if line["event"] == "start"] == [1, 2], 10,
         lambda: told(host, "strict", jobs))
    sqs.purge_queue(QueueUrl=dead)


def test_a_retry_delay_is_waited_for(host, sqs):
    jobs = names("r", 1)
    send(sqs, url(sqs, "later"), jobs[0], fail=1)
    lines = wait_for_ends(host, "strict", jobs)
    starts = [line["at"] for line in lines if line["event"] == "start"]
    assert starts[1] - starts[0] >= 1_000_000_000


def test_a_paused_function_is_given_its_jobs_once_it_is_not(host, sqs, client):
    jobs = names("z", 2)
    for job in jobs:
        send(sqs, url(sqs, "held"), job)
    assert count_of(sqs, url(sqs, "held")) == 2
    client(host).put_function_concurrency(FunctionName="paused", ReservedConcurrentExecutions=1)
    lines = wait_for_ends(host, "paused", jobs)
    assert {line["receives"] for line in lines if line["event"] == "start"} == {1}
    client(host).put_function_concurrency(FunctionName="paused", ReservedConcurrentExecutions=0)


def test_the_event_has_the_shape_of_sqs(host, sqs):
    jobs = names("s", 1)
    sent = sqs.send_message(
        QueueUrl=url(sqs, "mail.fifo"), MessageBody=json.dumps({"job": jobs[0], "show": True, "text": "é\u2028"}),
        MessageGroupId="shape", MessageDeduplicationId="only-once",
        MessageAttributes={
            "color": {"DataType": "String", "StringValue": "blue"}, "size": {"DataType": "Number", "StringValue": "7"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}},
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
    record = wait_for_ends(host, "mailer", jobs)[0]["record"]
    assert record["messageId"] == sent["MessageId"]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert record["md5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert record["messageAttributes"] == {
        "color": {"stringValue": "blue", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "size": {"stringValue": "7", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
        "raw": {"binaryValue": "AP8=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"}}
    attributes = record["attributes"]
    assert attributes["SequenceNumber"] == sent["SequenceNumber"]
    assert (attributes["MessageGroupId"], attributes["MessageDeduplicationId"]) == ("shape", "only-once")
    assert attributes["ApproximateReceiveCount"] == "1"
    assert attributes["AWSTraceHeader"].startswith("Root=1-5759e988")
    assert int(attributes["SentTimestamp"]) <= int(attributes["ApproximateFirstReceiveTimestamp"])
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:mail.fifo"


# SQS's API


def test_messages_of_a_standard_queue(sqs, made):
    address = made()
    attributes = {"kind": {"DataType": "String", "StringValue": "x"}}
    # boto3 compares the checksums of body and attributes itself.
    sent = sqs.send_message(QueueUrl=address, MessageBody="hello", MessageAttributes=attributes)
    assert "SequenceNumber" not in sent
    got = sqs.receive_message(QueueUrl=address, AttributeNames=["All"], MessageAttributeNames=["k.*", "kind"])
    message = got["Messages"][0]
    assert (message["Body"], message["MessageId"]) == ("hello", sent["MessageId"])
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert "Messages" not in sqs.receive_message(QueueUrl=address)
    assert count_of(sqs, address, "ApproximateNumberOfMessagesNotVisible") == 1
    sqs.change_message_visibility(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=address, AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
    assert again["Attributes"] == {"ApproximateReceiveCount": "2"}
    # One of an earlier receive deletes nothing.
    sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    assert count_of(sqs, address, "ApproximateNumberOfMessagesNotVisible") == 1
    sqs.delete_message(QueueUrl=address, ReceiptHandle=again["ReceiptHandle"])
    sqs.delete_message(QueueUrl=address, ReceiptHandle=again["ReceiptHandle"])
    assert count_of(sqs, address, "ApproximateNumberOfMessagesNotVisible") == 0


def test_a_receive_waits_for_a_message(sqs, made, host):
    address = made()
    results = []
    waiting = threading.Thread(
        target=lambda: results.append(sqs_client(host).receive_message(QueueUrl=address, WaitTimeSeconds=20)))
    waiting.start()
    sqs.send_message(QueueUrl=address, MessageBody="at last")
    waiting.join(10)
    assert results[0]["Messages"][0]["Body"] == "at last"


def test_delayed_messages_and_those_whose_time_is_up(sqs, made):
    address = made(VisibilityTimeout="1")
    sqs.send_message(QueueUrl=address, MessageBody="later", DelaySeconds=1)
    assert count_of(sqs, address, "ApproximateNumberOfMessagesDelayed") == 1
    message = sqs.receive_message(QueueUrl=address, WaitTimeSeconds=5)["Messages"][0]
    again = sqs.receive_message(QueueUrl=address, WaitTimeSeconds=5)["Messages"][0]
    assert again["MessageId"] == message["MessageId"]
    assert again["ReceiptHandle"] != message["ReceiptHandle"]


def test_batches(sqs, made):
    address = made()
    entries = [{"Id": str(number), "MessageBody": f"body {number}"} for number in range(9)]
    answer = sqs.send_message_batch(QueueUrl=address, Entries=[*entries, {"Id": "bad", "MessageBody": "\x01"}])
    assert [entry["Id"] for entry in answer["Successful"]] == [entry["Id"] for entry in entries]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("bad", "InvalidMessageContents", True)]
    messages = sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in messages] == [entry["MessageBody"] for entry in entries]
    changed = sqs.change_message_visibility_batch(
        QueueUrl=address, Entries=[{"Id": "a", "ReceiptHandle": messages[0]["ReceiptHandle"], "VisibilityTimeout": 0}])
    assert [entry["Id"] for entry in changed["Successful"]] == ["a"]
    deleted = sqs.delete_message_batch(QueueUrl=address, Entries=[
        {"Id": "b", "ReceiptHandle": messages[1]["ReceiptHandle"]}, {"Id": "c", "ReceiptHandle": "nothing"}])
    assert [entry["Id"] for entry in deleted["Successful"]] == ["b"]
    assert [entry["Code"] for entry in deleted["Failed"]] == ["ReceiptHandleIsInvalid"]


def test_a_fifo_queue_gives_one_group_to_one_consumer(sqs, made):
    address = made(".fifo", ContentBasedDeduplication="true")
    for body, group in (("a0", "a"), ("a1", "a"), ("a2", "a"), ("b0", "b")):
        sqs.send_message(QueueUrl=address, MessageBody=body, MessageGroupId=group)

    def receive(limit):
        answer = sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=limit)
        return answer.get("Messages", [])

    first = receive(2)
    assert [message["Body"] for message in first] == ["a0", "a1"]
    assert [message["Body"] for message in receive(10)] == ["b0"]
    sqs.delete_message(QueueUrl=address, ReceiptHandle=first[0]["ReceiptHandle"])
    assert receive(10) == []
    sqs.change_message_visibility(QueueUrl=address, ReceiptHandle=first[1]["ReceiptHandle"], VisibilityTimeout=0)
    assert [message["Body"] for message in receive(10)] == ["a1", "a2"]
    refused(sqs.delete_message, "InvalidParameterValue", QueueUrl=address, ReceiptHandle=first[1]["ReceiptHandle"])


def test_the_queues_own_limit_is_for_each_message_and_not_for_a_batch(sqs, made):
    address = made(MaximumMessageSize="1024")
    entries = [{"Id": str(number), "MessageBody": "x" * 200} for number in range(10)]
    assert len(sqs.send_message_batch(QueueUrl=address, Entries=entries)["Successful"]) == 10
    sqs.purge_queue(QueueUrl=address)
    assert count_of(sqs, address) == 0


def test_a_duplicate_is_answered_with_the_first_message(sqs, made):
    address = made(".fifo")
    one = sqs.send_message(QueueUrl=address, MessageBody="1", MessageGroupId="g", MessageDeduplicationId="d")
    message = sqs.receive_message(QueueUrl=address)["Messages"][0]
    sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
    two = sqs.send_message(QueueUrl=address, MessageBody="2", MessageGroupId="g", MessageDeduplicationId="d")
    assert (two["MessageId"], two["SequenceNumber"]) == (one["MessageId"], one["SequenceNumber"])
    assert count_of(sqs, address) == 0
    three = sqs.send_message(QueueUrl=address, MessageBody="2", MessageGroupId="g", MessageDeduplicationId="e")
    assert int(three["SequenceNumber"]) > int(one["SequenceNumber"])


def test_queues_come_and_go(sqs, made):
    address = made(DelaySeconds="5")
    name = address.rsplit("/", 1)[1]
    assert sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "5"})["QueueUrl"] == address
    refused(sqs.create_queue, "QueueAlreadyExists", QueueName=name, Attributes={"DelaySeconds": "6"})
    assert address in sqs.list_queues(QueueNamePrefix=name)["QueueUrls"]
    sqs.set_queue_attributes(QueueUrl=address, Attributes={"DelaySeconds": "0", "VisibilityTimeout": "7"})
    attributes = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["All"])["Attributes"]
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("0", "7")
    sqs.tag_queue(QueueUrl=address, Tags={"team": "mail"})
    assert sqs.list_queue_tags(QueueUrl=address)["Tags"] == {"team": "mail"}
    refused(sqs.tag_queue, "InvalidParameterValue", QueueUrl=address, Tags={"team": "x" * 257})
    refused(sqs.create_queue, "InvalidParameterValue", QueueName=name + "-2", tags={str(number): "" for number in range(51)})
    sqs.untag_queue(QueueUrl=address, TagKeys=["team"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=address)
    sqs.delete_queue(QueueUrl=address)
    refused(sqs.get_queue_url, "AWS.SimpleQueueService.NonExistentQueue", QueueName=name)
    pages = list(sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) > 1
    assert {"mail.fifo", "mail-dlq.fifo"} <= {address.rsplit("/", 1)[1] for page in pages for address in page["QueueUrls"]}


def test_bad_input_is_refused_in_the_words_of_sqs(sqs, made):
    fifo, plain = made(".fifo"), made()

    def sending(code, address=fifo, **members):
        return refused(sqs.send_message, code, QueueUrl=address, **{"MessageBody": "x", **members})

    sending("MissingParameter", MessageDeduplicationId="d")
    sending("InvalidParameterValue", MessageGroupId="g" * 129, MessageDeduplicationId="d")
    sending("InvalidParameterValue", MessageGroupId="two words", MessageDeduplicationId="d")
    sending("InvalidParameterValue", MessageGroupId="g", MessageDeduplicationId="d" * 129)
    assert "ContentBasedDeduplication" in sending("InvalidParameterValue", MessageGroupId="g")
    sending("InvalidParameterValue", MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=1)
    sending("InvalidParameterValue", plain, DelaySeconds=901)
    sending("InvalidParameterValue", plain, MessageBody="x" * (1024 * 1024 + 1))
    sending("InvalidMessageContents", plain, MessageBody="\x00")
    sending("MissingParameter", plain, MessageBody="")
    sending("AWS.SimpleQueueService.NonExistentQueue", plain + "x")
    entry = {"Id": "a", "MessageBody": "x"}
    batch = "AWS.SimpleQueueService."
    refused(sqs.send_message_batch, batch + "EmptyBatchRequest", QueueUrl=plain, Entries=[])
    refused(sqs.send_message_batch, batch + "BatchEntryIdsNotDistinct", QueueUrl=plain, Entries=[entry, entry])
    refused(sqs.send_message_batch, batch + "InvalidBatchEntryId", QueueUrl=plain, Entries=[{**entry, "Id": "a b"}])
    refused(sqs.send_message_batch, batch + "TooManyEntriesInBatchRequest", QueueUrl=plain,
            Entries=[{**entry, "Id": str(number)} for number in range(11)])
    refused(sqs.send_message_batch, batch + "BatchRequestTooLong", QueueUrl=plain,
            Entries=[{"Id": str(number), "MessageBody": "x" * 600_000} for number in range(2)])
    refused(sqs.receive_message, "InvalidParameterValue", QueueUrl=plain, MaxNumberOfMessages=11)
    refused(sqs.receive_message, "InvalidParameterValue", QueueUrl=plain, WaitTimeSeconds=21)
    refused(sqs.create_queue, "InvalidParameterValue", QueueName="no spaces")
    refused(sqs.create_queue, "InvalidParameterValue", QueueName="x.fifo")
    refused(sqs.create_queue, "InvalidAttributeName", QueueName="unknown", Attributes={"Color": "blue"})
    refused(sqs.create_queue, "InvalidAttributeValue", QueueName="short", Attributes={"MessageRetentionPeriod": "1"})
    policy = json.dumps({"deadLetterTargetArn": arn(sqs, fifo), "maxReceiveCount": 2})
    refused(sqs.set_queue_attributes, "InvalidAttributeValue", QueueUrl=plain, Attributes={"RedrivePolicy": policy})
    # A handle of another queue.
    sqs.send_message(QueueUrl=plain, MessageBody="x")
    handle = sqs.receive_message(QueueUrl=plain)["Messages"][0]["ReceiptHandle"]
    for wrong in (handle[:-4], "AAAA", "x" * 3000):
        refused(sqs.delete_message, "ReceiptHandleIsInvalid", QueueUrl=plain, ReceiptHandle=wrong)
    refused(sqs.delete_message, "ReceiptHandleIsInvalid", QueueUrl=made(), ReceiptHandle=handle)
    sqs.change_message_visibility(QueueUrl=plain, ReceiptHandle=handle, VisibilityTimeout=0)
    refused(sqs.change_message_visibility, "AWS.SimpleQueueService.MessageNotInflight", QueueUrl=plain, ReceiptHandle=handle,
            VisibilityTimeout=3)


def test_requests_that_no_client_sends(host):
    def post(target, body):
        return request(host.host, "POST", "/", body, {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"})

    for target, body, code in (
        ("AmazonSQS.Nothing", "{}", "UnsupportedOperation"), ("AmazonSQS.SendMessage", "", "MissingParameter"),
        ("AmazonSQS.SendMessage", "[]", "MalformedInput"), ("AmazonSQS.SendMessage", "{" * 100, "MalformedInput"),
        ("AmazonSQS.SendMessage", '{"QueueUrl": 7}', "MalformedInput"),
        ("AmazonSQS.SendMessageBatch", '{"QueueUrl": "x", "Entries": 7}', "NonExistentQueue"),
        ("AmazonSQS.ReceiveMessage", '{"QueueUrl": "/0/free", "MaxNumberOfMessages": 1e99}', "InvalidParameterValue"),
    ):
        answer = post(target, body)
        assert answer.status == 400 and code in answer.headers["x-amzn-query-error"], (target, body, answer)
    page = request(
        host.host, "POST", "/", "{}", {"X-Amz-Target": "AmazonSQS.ListQueues", "Origin": "http://elsewhere.example"})
    assert page.status == 403


def test_the_command_of_aws(host, sqs):
    environment = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "PATH": "/usr/bin:/bin"}
    aws = Path(sys.executable).parent / "aws"
    if not aws.exists():
        pytest.skip("awscli is not installed")

    def run(*arguments):
        done = subprocess.run(
            [str(aws), "sqs", *arguments, "--endpoint-url", f"http://{host.host}", "--output", "json"],
            env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    address = run("get-queue-url", "--queue-name", "free")["QueueUrl"]
    sent = run("send-message", "--queue-url", address, "--message-body", "hello")
    message = sqs.receive_message(QueueUrl=address)["Messages"][0]
    assert message["MessageId"] == sent["MessageId"]
    sqs.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])


# Asynchronous events


def destination_of(sqs, address):
    """What became of an event, from the queue that it was sent to."""
    messages = sqs.receive_message(QueueUrl=address, WaitTimeSeconds=10).get("Messages")
    assert messages, "nothing became of the event"
    sqs.delete_message(QueueUrl=address, ReceiptHandle=messages[0]["ReceiptHandle"])
    return json.loads(messages[0]["Body"])


def test_what_became_of_an_event_goes_to_its_destination(host, sqs, made, client):
    boto, address = client(host), made()
    destination = {"Destination": arn(sqs, address)}
    boto.put_function_event_invoke_config(
        FunctionName="other", MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": destination, "OnFailure": destination})
    sent = boto.invoke(FunctionName="other", InvocationType="Event", Payload=b'{"do": "error"}')
    failed = destination_of(sqs, address)
    assert failed["requestContext"] == {
        "requestId": sent["ResponseMetadata"]["RequestId"], "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:other",
        "condition": "RetriesExhausted", "approximateInvokeCount": 1}
    assert failed["requestPayload"] == {"do": "error"}
    assert failed["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert failed["responsePayload"]["errorType"] == "ReportError"
    boto.invoke(FunctionName="other", InvocationType="Event", Payload=b'{"do": "ok"}')
    succeeded = destination_of(sqs, address)
    assert succeeded["requestContext"]["condition"] == "Success"
    assert (succeeded["responsePayload"]["did"], "functionError" in succeeded["responseContext"]) == ("ok", False)
    boto.put_function_concurrency(FunctionName="other", ReservedConcurrentExecutions=0)
    assert boto.invoke(FunctionName="other", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    paused = destination_of(sqs, address)
    assert paused["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert (paused["requestContext"]["approximateInvokeCount"], "responseContext" in paused) == (0, False)
    boto.delete_function_concurrency(FunctionName="other")
    # A function as a destination is given the document as an event.
    boto.put_function_event_invoke_config(FunctionName="other", MaximumRetryAttempts=0, DestinationConfig={
        "OnSuccess": {"Destination": "arn:aws:lambda:us-east-1:000000000000:function:collector"}})
    boto.put_function_event_invoke_config(FunctionName="collector", DestinationConfig={"OnSuccess": destination})
    boto.invoke(FunctionName="other", InvocationType="Event", Payload=b'{"do": "ok"}')
    assert destination_of(sqs, address)["responsePayload"]["requestContext"]["condition"] == "Success"


def test_events_outlive_a_kill(hosts, client):
    functions = {"slow": python_function(timeout="60s"), "other": python_function()}
    host = hosts(functions, sections={"queues": {"done": {}}}).start()
    boto = client(host)
    boto.put_function_event_invoke_config(FunctionName="slow", DestinationConfig={
        "OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:done"}})
    sent = [
        boto.invoke(FunctionName="slow", InvocationType="Event", Payload=json.dumps({"do": "sleep", "ms": 200}))
        for _ in range(5)]
    host.stop(9)
    # Nor does a start lose them whose file has not the function, by mistake.
    file = Path(host.folder) / "kelvin.yaml"
    right = file.read_text()
    document = json.loads(right)
    del document["functions"]["slow"]
    file.write_text(json.dumps(document))
    host.start()
    assert "An asynchronous event waits: its function is not configured any more." in host.said()
    host.stop()
    file.write_text(right)
    host.start()
    sqs = sqs_client(host)
    ended = set()
    while len(ended) < 5:
        ended.add(destination_of(sqs, url(sqs, "done"))["requestContext"]["requestId"])
    assert ended == {answer["ResponseMetadata"]["RequestId"] for answer in sent}


def test_messages_outlive_a_kill(hosts):
    functions = {"slow": python_function("queue_jobs.handler", timeout="30s", reserved=1)}
    host = hosts(functions, sections={"queues": {"work.fifo": {"function": "slow", "batch": 1}, "free": {}}}).start()
    sqs = sqs_client(host)
    jobs = names("k", 4)
    for position, job in enumerate(jobs):
        send(sqs, url(sqs, "work.fifo"), job, group="g", **({"ms": 3000} if position == 0 else {}))
    sqs.send_message(QueueUrl=url(sqs, "free"), MessageBody="kept")
    taken = sqs.receive_message(QueueUrl=url(sqs, "free"), VisibilityTimeout=600)["Messages"][0]
    poll(lambda: told(host, "slow", jobs), 20, "the first job runs")
    host.stop(9)
    host.start()
    sqs = sqs_client(host)
    lines = wait_for_ends(host, "slow", jobs)
    starts = [line["job"] for line in lines if line["event"] == "start"]
    assert starts == [jobs[0], *jobs]
    # What a consumer has, it still has.
    assert count_of(sqs, url(sqs, "free"), "ApproximateNumberOfMessagesNotVisible") == 1
    sqs.delete_message(QueueUrl=url(sqs, "free"), ReceiptHandle=taken["ReceiptHandle"])
    assert count_of(sqs, url(sqs, "free"), "ApproximateNumberOfMessagesNotVisible") == 0
