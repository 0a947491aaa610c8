"""The log of functions that a host ran, through CloudWatch Logs (moto): by subscription, Firehose and export, the numbers are the host's own."""
import base64
import gzip
import json
import re
import subprocess
import threading
import time
from collections import defaultdict

import boto3
import pytest

from kelvin_host import poll, python_function, request, rfc3339
from moto_server import MotoServer

pytestmark = pytest.mark.waits

GROUP = "/aws/lambda/"
# What log lines carry, to the last one.
COUNTS = ["invocations", "errors", "timeouts", "crashes", "outOfMemory", "coldStarts", "initializations", "concurrencyMax"]
# Each has its own format of lines; one instance after the other, and several at once.
FUNCTIONS = {
    "orders": python_function(reserved=1, timeout="2s"),
    "mails": python_function(reserved=4, timeout="20s", logFormat="json"),
}


class Story:
    """Some invocations of a host's functions, and the lines of its logs as CloudWatch Logs would have them."""

    def __init__(self, hosts):
        self.host = hosts(FUNCTIONS, window="60s").start()
        self.answers = {}  # By request.
        self.events = defaultdict(list)  # By function and stream: (ms, message).

    def run(self):
        # All in one window, because logs know the hand-over to an instance and not the start before it.
        # And the first of them seconds after its begin, because moto's exports have whole seconds.
        poll(lambda: 5 < time.time() % 60 < 30, 61, "a moment at the beginning of a window")
        for event in ["ok", "ok", "error", "loop", "ok", "exit", "ok"]:
            self.invoke("orders", {"do": event})
        for milliseconds in (1500, 700):
            threads = [threading.Thread(target=self.invoke, args=("mails", {"do": "sleep", "ms": milliseconds})) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for function in FUNCTIONS:
            count = sum(name == function for name, _ in self.answers.values())
            poll(lambda function=function, count=count: self.reported(function)[0] == count, 20, "all of the log is written")
        self.tell_orders()
        self.tell_mails()
        return self

    def invoke(self, function, event):
        answer = self.host.invoke(function, event)
        self.answers[answer.headers["X-Amzn-RequestId"]] = function, answer

    def log(self, function):
        return (self.host.folder / "data" / "logs" / f"{function}.log").read_text()

    def milliseconds(self, request_id, which):
        return int(self.answers[request_id][1].headers[f"X-Kelvin-{which}"]) // 1_000_000

    def stream(self, request_id):
        return self.answers[request_id][1].json()["instance"]

    def tell_orders(self):
        """Lines of text have no time of their own: CloudWatch's is that of the moment when they were written."""
        stream = next(
            self.stream(one) for one, (name, answer) in self.answers.items() if name == "orders" and b"instance" in answer.body)
        before, request_id = [], None
        for line in re.split(r"\n(?=[A-Z]+_?[A-Z]* RequestId|INIT_START|function \| )", self.log("orders").rstrip("\n")):
            begins = re.match(r"(START|END|REPORT) RequestId: (\S+)", line)
            if begins and begins[1] == "START":
                request_id = begins[2]
            if begins:
                at = self.milliseconds(request_id, "Handover" if begins[1] == "START" else "End")
                for message in before:
                    self.events["orders", stream].append((at, message))
                before = []
                self.events["orders", stream].append((at, line + "\n"))
            else:
                before.append(line.removeprefix("function | ") + "\n")

    def tell_mails(self):
        lines = [json.loads(line) for line in self.log("mails").splitlines()]
        for line in lines:
            record, at = line["record"], line["time"]
            stream = record.get("instanceId") or self.stream(record["requestId"])
            self.events["mails", stream].append((rfc3339(at) // 1_000_000, json.dumps(line, separators=(",", ":"))))

    def reported(self, function):
        """How many reports the log has, and the sums of their durations and of what they bill, in seconds."""
        text = r"\tDuration: ([0-9.]+) ms\tBilled Duration: (\d+) ms"
        found = re.findall(text if function == "orders" else r'"durationMs":([0-9.]+),"billedDurationMs":(\d+)', self.log(function))
        return len(found), sum(float(duration) for duration, _ in found) / 1000, sum(int(billed) for _, billed in found) / 1000


@pytest.fixture(scope="module")
def story(hosts):
    return Story(hosts).run()


class Cloud:
    """CloudWatch Logs with the story's lines, and with subscriptions that were there before them."""

    def __init__(self, url, story):
        self.url = url
        self.kinesis, self.s3, self.logs = (self.client(name) for name in ("kinesis", "s3", "logs"))
        self.s3.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.kinesis.create_stream(StreamName="kelvin", ShardCount=1)
        arn = self.kinesis.describe_stream(StreamName="kelvin")["StreamDescription"]["StreamARN"]
        role = "arn:aws:iam::123456789012:role/logs"
        delivery = self.client("firehose").create_delivery_stream(
            DeliveryStreamName="kelvin", S3DestinationConfiguration={
                "RoleARN": role, "BucketARN": "arn:aws:s3:::logs", "Prefix": "delivered/"})["DeliveryStreamARN"]
        for function in FUNCTIONS:
            self.logs.create_log_group(logGroupName=GROUP + function)
            for name, destination in [("stream", arn), ("delivery", delivery)]:
                self.logs.put_subscription_filter(
                    logGroupName=GROUP + function, filterName=name, filterPattern="", destinationArn=destination, roleArn=role)
        for (function, stream), events in story.events.items():
            self.logs.create_log_stream(logGroupName=GROUP + function, logStreamName=stream)
            events = sorted(events, key=lambda event: event[0])
            for part in range(0, len(events), 5):
                answer = self.logs.put_log_events(
                    logGroupName=GROUP + function, logStreamName=stream,
                    logEvents=[{"timestamp": at, "message": message} for at, message in events[part:part + 5]])
                assert "rejectedLogEventsInfo" not in answer, answer

    def client(self, service):
        return boto3.client(
            service, endpoint_url=self.url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")

    def documents_of_stream(self):
        shard = self.kinesis.describe_stream(StreamName="kelvin")["StreamDescription"]["Shards"][0]["ShardId"]
        at = self.kinesis.get_shard_iterator(StreamName="kelvin", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        return [record["Data"] for record in self.kinesis.get_records(ShardIterator=at)["Records"]]

    def objects(self, prefix):
        found = self.s3.list_objects_v2(Bucket="logs", Prefix=prefix).get("Contents", [])
        return {one["Key"]: self.s3.get_object(Bucket="logs", Key=one["Key"])["Body"].read() for one in found}


@pytest.fixture(scope="module")
def cloud(story):
    with MotoServer() as aws:
        yield Cloud(aws.url, story)


@pytest.fixture
def agent(hosts):
    return hosts({"unused": {"command": ["true"]}}, window="60s", command="agent").start()


def numbers(windows, names=(*COUNTS, "start")):
    """Of all windows that have anything."""
    return [[window[name] for name in names] for window in windows if window["invocations"]]


def lengths(windows):
    """All durations, and what is billed, in seconds."""
    return [
        (window["duration"]["count"], float(window["duration"]["sum"]), float(window["billedSeconds"]))
        for window in windows if window["invocations"]]


def assert_the_same(story, shown_of):
    """`shown_of` gives the windows of a function."""
    for function in FUNCTIONS:
        own = story.host.windows(function).list
        shown = shown_of(function)
        assert numbers(shown) == numbers(own), function
        # A report ends when the runtime asks for more, the host's own number with the answer.
        assert lengths(shown) == [pytest.approx(story.reported(function))], function
        (_, duration, billed), = lengths(own)
        assert (duration, billed) == pytest.approx(story.reported(function)[1:], abs=2), function


def test_the_story_is_what_it_is_meant_to_be(story):
    orders, mails = [dict(zip(COUNTS, numbers(story.host.windows(function).list)[0])) for function in FUNCTIONS]
    assert list(orders.values()) == [7, 3, 1, 1, 0, 3, 3, 1]
    assert list(mails.values()) == [6, 0, 0, 0, 0, 3, 3, 3]


def test_by_a_subscription(story, cloud, agent):
    documents = cloud.documents_of_stream()
    assert len(documents) > 5
    # Again, and again in another order: each counts once.
    for document in [*documents, *documents, *documents[::-1]]:
        answer = request(agent.agent, "POST", "/v1/logs", document)
        assert answer.status == 200 and not answer.json()["rejected"], answer
    assert_the_same(story, lambda function: agent.windows(function).list)


def test_by_firehose(story, cloud, agent):
    delivered = [gzip.decompress(content) for content in cloud.objects("delivered/").values()]
    assert len(delivered) > 5
    envelope = json.dumps({"requestId": "one", "timestamp": 1, "records": [
        {"data": base64.b64encode(gzip.compress(content)).decode()} for content in delivered]})
    for _ in range(2):
        answer = request(agent.agent, "POST", "/v1/firehose", envelope, {"X-Amz-Firehose-Request-Id": "one"})
        assert answer.status == 200 and answer.json()["requestId"] == "one", answer
    assert_the_same(story, lambda function: agent.windows(function).list)


def imported(story, function, *files):
    outcome = subprocess.run(
        [story.host.binary, "import", "--dry-run", "--output", "json", "--function", function, "--resolution", "1m", *map(str, files)],
        capture_output=True, text=True, timeout=60, check=False)
    assert outcome.returncode == 0, outcome
    return json.loads(outcome.stdout)


@pytest.mark.parametrize("how", ["filter", "get", "delivered"])
def test_by_files_of_events(story, cloud, tmp_path, how):
    def windows(function):
        group = GROUP + function
        if how == "filter":
            contents = [page for page in cloud.logs.get_paginator("filter_log_events").paginate(logGroupName=group)]
        elif how == "get":
            contents = [
                cloud.logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
                for name, stream in story.events if name == function]
        else:
            objects = [gzip.decompress(content) for content in cloud.objects("delivered/").values()]
            contents = [document for document in map(json.loads, objects) if document["logGroup"] == group]
        files = []
        for number, content in enumerate(contents):
            content.pop("ResponseMetadata", None)
            files.append(tmp_path / f"{how}-{function}-{number}.json")
            files[-1].write_text(json.dumps(content, indent=4))
        return imported(story, function, *files, *files)["windows"]["windows"]

    assert_the_same(story, windows)


def test_by_an_export_to_s3(story, cloud, tmp_path):
    for function in FUNCTIONS:
        times = [at for (name, _), events in story.events.items() if name == function for at, _ in events]
        cloud.logs.create_export_task(
            logGroupName=GROUP + function, fromTime=min(times), to=max(times) + 1, destination="logs", destinationPrefix=f"exported-{function}")
        for key, content in cloud.objects(f"exported-{function}/").items():
            path = tmp_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        shown = imported(story, function, tmp_path / f"exported-{function}")["windows"]["windows"]
        own = story.host.windows(function).list
        # moto cuts times to seconds. Lines of JSON have one of their own.
        names = COUNTS if function == "mails" else COUNTS[:-1]
        assert numbers(shown, names) == numbers(own, names)
