"""The guides' commands, as they are typed."""
import re
import shutil
import sys

import boto3
import pytest

from kelvin_host import REPOSITORY
from moto_server import MotoServer
from server_process import free_port
from test_first_steps import Terminal
from test_https import certificate
from test_log_push import Story


def blocks(name):
    """What a guide says to type, block by block."""
    text = (REPOSITORY / "docs/guides" / name).read_text()
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", text)


@pytest.fixture
def terminal(kelvin, tmp_path):
    made = []

    def make(name="terminal"):
        made.append(Terminal(kelvin, tmp_path / name))
        return made[-1]

    yield make
    for one in made:
        one.ends()


def test_functions_in_node(terminal):
    host, other = terminal(), terminal("other")
    start, ask = blocks("runtimes.md")
    ports = f'agent: {{listen: "127.0.0.1:{free_port()}"}}\nhost: {{listen: "127.0.0.1:{free_port()}"}}\n'
    start = start.replace("cat > kelvin.yaml <<'END'\n", f"cat > kelvin.yaml <<'END'\n{ports}")
    banner = host.types_and_leaves(start.splitlines(), "Stop with Ctrl-C.")
    other.environment |= {
        "KELVIN_HOST": "http://" + re.search(r"invoke +http://([0-9.:]+)", banner)[1],
        "KELVIN_AGENT": "http://" + re.search(r"page +http://([0-9.:]+)/", banner)[1]}
    invoke, status = ask.splitlines()
    assert other.types([invoke])[0].strip() == '{"text":"Dear Ada","left":true}'
    assert re.search(r"mail +256 MB +5 s", other.types([status])[0])


def test_from_cloudwatch_logs_by_firehose(terminal):
    agent, other, port = terminal(), terminal(), str(free_port())
    own = certificate(agent.folder, "server")
    for name in ["server.crt", "server.key"]:
        shutil.copy(own, agent.folder / name)
    start, attempt, show, stream, subscription = [block.replace("27315", port) for block in blocks("firehose.md")]
    agent.types_and_leaves(start.splitlines(), "/metrics")
    answer, _ = other.types(attempt.splitlines())
    assert re.fullmatch(r'\{"requestId":"try","timestamp":\d+\}\s*', answer), answer
    table, _ = other.types(show.splitlines())
    assert "248 ms" in table and "301 ms" not in table, table
    wrong = attempt.replace("$(cat ingest.token)", "wrong-0123456789")
    assert "credentials" in other.types(wrong.splitlines())[0]
    with MotoServer() as aws:
        client = lambda service: boto3.client(  # noqa: E731
            service, endpoint_url=aws.url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        client("s3").create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        client("logs").create_log_group(logGroupName="/aws/lambda/hello")
        other.environment |= {
            "AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "eu-central-1", "ROLE": "arn:aws:iam::123456789012:role/firehose", "BUCKET": "logs",
            "SENDER": "arn:aws:iam::123456789012:role/logs", "PATH": f"{REPOSITORY}/.venv/bin:{other.environment['PATH']}"}
        created, _ = other.types(stream.splitlines())
        assert "deliverystream/kelvin" in created
        other.types(subscription.splitlines())
        filters = client("logs").describe_subscription_filters(logGroupName="/aws/lambda/hello")["subscriptionFilters"]
        assert [one["filterName"] for one in filters] == ["kelvin"]
        endpoint = client("firehose").describe_delivery_stream(DeliveryStreamName="kelvin")["DeliveryStreamDescription"]
        assert "https://kelvin.example.com/v1/firehose" in str(endpoint)


def test_two_hosts_one_agent(terminal):
    agent, first, second, other = [terminal() for _ in range(4)]
    ports = {str(27315 + index): str(free_port()) for index in range(3)}

    def here(block):
        return re.sub("2731[567]", lambda match: ports[match[0]], block).splitlines()

    start, one, two, both = blocks("two-hosts.md")
    # Four terminals in one folder: each has a log of its own.
    for index, each in enumerate([agent, first, second, other]):
        each.log_name = f"terminal-{index}.log"
    agent.types_and_leaves(here(start), "/metrics")
    first.types_and_leaves(here(one), "Stop with Ctrl-C")
    second.types_and_leaves(here(two), "Stop with Ctrl-C")
    table, _ = other.types(here(both))
    rows = [line.split() for line in table.splitlines() if re.match(r"\d{4}-", line)]
    assert sum(int(row[1]) for row in rows) == 6, table
    assert max(int(row[5]) for row in rows) > 3, table


# Version 2 of the AWS CLI, which alone has this command, is in no package index: this prints what it prints.
AWS_LOGS_TAIL = """#!{python}
import datetime, sys, boto3
assert sys.argv[1:3] == ["logs", "tail"] and sys.argv[4:] == ["--since", "12h"], sys.argv
since = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=12)
pages = boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=sys.argv[3], startTime=int(since.timestamp() * 1000))
for event in (event for page in pages for event in page["events"]):
    at = datetime.datetime.fromtimestamp(event["timestamp"] / 1000, datetime.timezone.utc)
    print(at.isoformat(timespec="microseconds"), event["logStreamName"], event["message"].rstrip("\\n"))
"""


def test_last_night_from_a_log_export(terminal, tmp_path):
    story, port = Story(), str(free_port())
    # In the middle of a minute some hours ago.
    later = story.origin % 60_000 - 20_000 + 3 * 3_600_000
    story.invocations = [(instance, request, at - later, *rest) for instance, request, at, *rest in story.invocations]
    agent, person = terminal(), terminal()
    person.log_name = "person.log"
    read, start, keep = blocks("import.md")
    with MotoServer() as aws:
        logs = boto3.client(
            "logs", endpoint_url=aws.url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
        logs.create_log_group(logGroupName="/aws/lambda/orders")
        for stream in sorted({line[0] for line in story.lines()}):
            logs.create_log_stream(logGroupName="/aws/lambda/orders", logStreamName=stream)
            logs.put_log_events(
                logGroupName="/aws/lambda/orders", logStreamName=stream,
                logEvents=[{"timestamp": at, "message": message} for own, at, message in story.lines() if own == stream])
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "aws").write_text(AWS_LOGS_TAIL.format(python=sys.executable))
        (tools / "aws").chmod(0o755)
        person.environment |= {
            "AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "eu-central-1", "PATH": f"{tools}:{person.environment['PATH']}"}
        shown, said = person.types(read.splitlines())
        assert "invocations: 4, errors: 1 (timeouts: 1" in said and "concurrency at most: 2" in said, said
    (agent.folder / "kelvin.yaml").write_text(f'agent: {{listen: "127.0.0.1:{port}"}}\n')
    agent.types_and_leaves(start.splitlines(), "/metrics")
    table, said = person.types(keep.splitlines())
    assert "12 new, 0 known already" in said, said
    # What was kept is what was shown, and the agent says the same afterwards.
    rows = [line.split() for line in table.splitlines() if re.match(r"\d{4}-", line)]
    found = [line.split() for line in shown.splitlines() if re.match(r"\d{4}-", line)]
    assert rows[:len(found)] == found and sum(int(row[1]) for row in found) == 4, (shown, table)
    assert sum(int(row[1]) for row in rows[len(found):] if len(row) > 1) == 4, table
    assert "0 new, 12 known already" in person.types(keep.splitlines()[:1])[1]


def texts(name):
    """What a guide says that is printed, block by block."""
    return re.findall(r"(?ms)^```text\n(.*?)^```$", (REPOSITORY / "docs/guides" / name).read_text())


def here(block, port):
    """A block for the host at a port, with the Python that has the packages."""
    listen = f"host: {{listen: '127.0.0.1:{port}'}}\nagent: {{listen: '127.0.0.1:0'}}\nfunctions:\n"
    return block.replace("functions:\n", listen).replace("27316", port).replace("python3", sys.executable).splitlines()


def test_websockets(terminal):
    first, second = terminal(), terminal()
    port = str(free_port())
    start, ask = blocks("websockets.md")
    first.types_and_leaves(here(start, port), "Stop with Ctrl-C")
    assert second.types(here(ask, port))[0] == texts("websockets.md")[0]


def test_schedules(terminal):
    first, second = terminal(), terminal()
    port = str(free_port())
    start, ask, following = blocks("schedules.md")
    assert "schedule cleanup: 20" in first.types_and_leaves(here(start, port), "Stop with Ctrl-C")
    second.environment["KELVIN_HOST"] = f"http://127.0.0.1:{port}"
    listed, _ = second.types(here(ask, port))
    assert re.search(r"report +orders +rate\(5 minutes\)", listed) and re.search(r'\{"task": ?"report", ?"at": ?"20.*Z"\}', listed), listed
    assert second.types(here(following, port))[0] == texts("schedules.md")[0]


def test_queues(terminal):
    host, person = terminal(), terminal()
    person.log_name = "person.log"
    ports = {"27315": str(free_port()), "27316": str(free_port())}
    start, jobs, poison, redrive, program = blocks("queues.md")
    listen = "".join(f'{name}: {{listen: "127.0.0.1:{port}"}}\n' for name, port in zip(("agent", "host"), ports.values()))
    host.types_and_leaves(start.replace("kelvin.yaml <<'END'\n", f"kelvin.yaml <<'END'\n{listen}").splitlines(), "Stop with Ctrl-C")
    listed, _ = person.types(jobs.splitlines())
    assert len(re.findall(r"(?m)^[0-9a-f]{8}-", listed)) == 3 and re.search(r"(?m)^mail\.fifo +mailer", listed), listed
    shown, _ = person.types(poison.splitlines())
    assert "dead letter of mail.fifo" in shown and '{"to": "nobody"}' in shown, shown
    assert person.types(redrive.splitlines())[0] == "Moved 1 job from mail-dlq.fifo.\n"
    person.environment["PATH"] = f"{REPOSITORY}/.venv/bin:{person.environment['PATH']}"
    assert "SequenceNumber" in person.types(program.replace("27316", ports["27316"]).splitlines())[0]
    log, _ = person.types(["kelvin logs mailer --lines 100"])
    assert log.count("there is no such person") >= 3, log
