"""Telemetry and log lines that are pushed: by the Telemetry API's arrays, as subscriptions hand them on, as text, and by Firehose."""
import base64
import gzip
import json
import os
import shutil
import time
import uuid

import pytest

from kelvin_host import poll, request
from test_access import READER, SENDER, agents, tokens  # noqa: F401

STREAM = "2026/11/24/[$LATEST]0f3c9a5e3d414b6f8a52d1b7c0e91a2"


class Story:
    """Some invocations of a function in the last seconds, as their instances' log streams tell them."""

    def __init__(self, function="orders"):
        self.function = function
        self.origin = time.time_ns() // 1_000_000 - 30_000
        self.invocations = []
        # Two instances that overlap once; one times out.
        for instance, start, length, status in [
                (0, 0, 400, None), (0, 1_000, 250, None), (1, 1_100, 300, "timeout"), (0, 5_000, 100, None)]:
            self.invocations.append((instance, str(uuid.uuid4()), self.origin + start, length, status))

    def lines(self):
        """(stream, time in ms, message), in the order of their times."""
        lines = []
        for instance, request_id, start, length, status in self.invocations:
            tail = f"\tStatus: {status}" if status else ""
            stream = STREAM + str(instance)
            lines += [
                (stream, start, f"START RequestId: {request_id} Version: $LATEST\n"),
                (stream, start + length, f"END RequestId: {request_id}\n"),
                (stream, start + length,
                 f"REPORT RequestId: {request_id}\tDuration: {length}.00 ms\tBilled Duration: {length} ms\t"
                 f"Memory Size: 128 MB\tMax Memory Used: 40 MB\t{tail}\n")]
        return sorted(lines, key=lambda line: line[1])

    def subscriptions(self):
        """One document for each stream."""
        documents = []
        for stream in sorted({line[0] for line in self.lines()}):
            events = [
                {"id": f"{index:056}", "timestamp": at, "message": message}
                for index, (own, at, message) in enumerate(self.lines()) if own == stream]
            documents.append({
                "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": f"/aws/lambda/{self.function}",
                "logStream": stream, "subscriptionFilters": ["kelvin"], "logEvents": events})
        return documents

    def telemetry(self, instance):
        records = []
        for own, request_id, start, length, status in self.invocations:
            if own != instance:
                continue
            stamp = lambda ms: time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"  # noqa: E731
            records += [
                {"time": stamp(start), "type": "platform.start", "record": {"requestId": request_id, "version": "$LATEST"}},
                {"time": stamp(start + length), "type": "platform.report", "record": {
                    "requestId": request_id, "status": status or "success",
                    "metrics": {"durationMs": length, "billedDurationMs": length, "memorySizeMB": 128, "maxMemoryUsedMB": 40}}}]
        return records


def push(agent, path, body, token=None, **headers):
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return request(agent.address, "POST", path, body, headers)


def totals(agent, function="orders", **headers):
    windows = request(agent.address, "GET", f"/api/v1/windows?function={function}&range=1h", headers=headers).json()["windows"]
    return {
        "invocations": sum(window["invocations"] for window in windows),
        "timeouts": sum(window["timeouts"] for window in windows),
        "concurrency": max(window["concurrencyMax"] for window in windows),
    }


EXPECTED = {"invocations": 4, "timeouts": 1, "concurrency": 2}


def test_subscriptions_count_once(agents):  # noqa: F811
    agent, story = agents([]), Story()
    for document in story.subscriptions():
        answer = push(agent, "/v1/logs", gzip.compress(json.dumps(document).encode()))
        assert answer.status == 200 and answer.json()["rejected"] == 0 and answer.json()["accepted"] > 0, answer
    assert totals(agent) == EXPECTED
    for document in story.subscriptions():
        # As a Lambda function is handed them.
        packed = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
        answer = push(agent, "/v1/logs", json.dumps({"awslogs": {"data": packed}}))
        assert answer.json()["accepted"] == 0 and answer.json()["duplicates"] > 0
    assert totals(agent) == EXPECTED
    control = {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
               "subscriptionFilters": [], "logEvents": [{"id": "", "timestamp": "1", "message": "CWL CONTROL MESSAGE: hello"}]}
    assert push(agent, "/v1/logs", gzip.compress(json.dumps(control).encode())).status == 200


def test_what_comes_again_counts_once_over_kills_and_attempts_count_each(agents):  # noqa: F811
    # AWS tries a failed asynchronous event again a minute later, under the same request id.
    story = Story()
    story.origin -= 60_000
    retried = [(instance, request_id, start + 60_000, length, None) for instance, request_id, start, length, _ in story.invocations[2:3]]
    story.invocations = [(i, r, s - 60_000, n, status) for i, r, s, n, status in story.invocations]
    retried = [(i, r, s - 60_000, n, status) for i, r, s, n, status in retried]
    kinds = ["/v1/logs", "/v1/telemetry"]

    def send(agent, kind, invocations):
        part = Story()
        part.invocations = invocations
        if kind == "/v1/logs":
            return [push(agent, kind, gzip.compress(json.dumps(document).encode())) for document in part.subscriptions()]
        return [
            push(agent, f"{kind}?function=orders&instance={uuid.UUID(int=instance + 1)}", json.dumps(part.telemetry(instance)))
            for instance in range(2)]

    for kind in kinds:
        agent = agents([])
        assert {answer.status for answer in send(agent, kind, story.invocations)} == {200}
        first = totals(agent)
        assert first["invocations"] == 4
        for ending in ["kill", "terminate", "kill"]:
            # Once before any checkpoint, and later behind some.
            getattr(agent.process, ending)()
            agent.process.wait(20)
            agent = agents([])
            for answer in send(agent, kind, story.invocations):
                assert answer.json()["accepted"] == 0, (kind, ending, answer)
            assert totals(agent) == first, (kind, ending)
        answers = send(agent, kind, retried) + send(agent, kind, retried)
        assert totals(agent) == first | {"invocations": 5}, answers
        agent.stop()
        shutil.rmtree(agent.folder / "data")


def test_lines_of_text_name_their_function_in_the_address(agents):  # noqa: F811
    agent, story = agents([]), Story()
    for instance in range(2):
        text = "".join(
            f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at // 1000))}.{at % 1000:03}Z {message}"
            for stream, at, message in story.lines() if stream.endswith(str(instance)))
        answer = push(agent, f"/v1/logs?function=orders&instance={uuid.uuid4()}", text)
        assert answer.status == 200 and answer.json()["rejected"] == 0, answer
    assert totals(agent) == EXPECTED
    nobody = push(agent, "/v1/logs", line_of_nobody())
    assert nobody.status == 200 and nobody.json()["rejected"] == 1
    assert "?function=" in nobody.json()["reasons"][0]["message"]


def line_of_nobody():
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return f"{at}.000Z REPORT RequestId: {uuid.uuid4()}\tDuration: 3.00 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\tMax Memory Used: 9 MB\n"


def test_telemetry(agents):  # noqa: F811
    agent, story = agents([]), Story()
    for instance in range(2):
        body = json.dumps(story.telemetry(instance))
        answer = push(agent, f"/v1/telemetry?function=orders&instance={STREAM.replace('[$LATEST]', '%5B$LATEST%5D')}{instance}", body)
        assert answer.status == 200 and answer.json() == {"accepted": len(story.telemetry(instance)), "duplicates": 0, "rejected": 0, "reasons": []}
    assert totals(agent) == EXPECTED


def test_firehose_with_its_access_key(agents, tmp_path):  # noqa: F811
    agent, story = agents([f"tokenFile: {tokens(tmp_path)}"]), Story()
    envelope = {
        "requestId": str(uuid.uuid4()), "timestamp": 1_795_000_000_000,
        "records": [
            {"data": base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()} for document in story.subscriptions()]}
    headers = {"X-Amz-Firehose-Access-Key": SENDER, "X-Amz-Firehose-Request-Id": envelope["requestId"]}
    for _ in range(2):
        answer = request(agent.address, "POST", "/v1/firehose", json.dumps(envelope), headers)
        assert answer.status == 200 and set(answer.json()) == {"requestId", "timestamp"}, answer
        assert answer.json()["requestId"] == envelope["requestId"]
    assert totals(agent, Authorization=f"Bearer {READER}") == EXPECTED
    packed = request(
        agent.address, "POST", "/v1/firehose", gzip.compress(json.dumps(envelope).encode()), headers | {"Content-Encoding": "gzip"})
    assert packed.status == 200
    del headers["X-Amz-Firehose-Access-Key"]
    assert request(agent.address, "POST", "/v1/firehose", json.dumps(envelope), headers).status == 401
    wrong = headers | {"X-Amz-Firehose-Access-Key": "wrong-0123456789"}
    assert request(agent.address, "POST", "/v1/firehose", json.dumps(envelope), wrong).status == 401
    # The key opens nothing else.
    assert request(agent.address, "POST", "/v1/logs", "x", {"X-Amz-Firehose-Access-Key": SENDER}).status == 401


def test_what_was_answered_survives_a_kill(agents, tmp_path, kelvin):  # noqa: F811
    agent, story = agents([]), Story()
    for document in story.subscriptions():
        assert push(agent, "/v1/logs", json.dumps(document)).status == 200
    agent.process.kill()
    agent.process.wait(20)
    again = agents([])
    poll(lambda: request(again.address, "GET", "/-/ready").status == 200, 30, "the agent is ready again")
    assert totals(again) == EXPECTED


@pytest.mark.parametrize("body, words", [
    (b"\x7fELF" + bytes(range(256)) * 4, "no log"),
    (b"\x1f\x8b\x08\x00garbage that is no gzip", ""),
    (b"REPORT RequestId: nonsense Duration: x", ""),
    (b"[" * 5_000, ""), (b"\xff\xfe\x00", ""), (b"", ""),
])
def test_nonsense_is_an_answer(agents, body, words):  # noqa: F811
    agent = agents([])
    for path in ["/v1/logs?function=orders", "/v1/telemetry?function=orders", "/v1/firehose"]:
        answer = push(agent, path, body)
        assert answer.status in (200, 400), answer
        assert words in answer.body.decode() or path == "/v1/firehose"
    assert push(agent, "/v1/logs?functions=orders", b"x").status == 400
    assert request(agent.address, "GET", "/v1/logs").status == 405
    assert request(agent.address, "GET", "/-/healthy").status == 200


def test_bombs_are_cheap(agents):  # noqa: F811
    """Gzip of gzip grows a million times; so do many small bombs in one envelope."""
    agent = agents([])
    layered = gzip.compress(gzip.compress(b"x" * (512 << 20), 1))
    record = base64.b64encode(gzip.compress(b"x" * (60 << 20), 1)).decode()
    envelope = json.dumps({"requestId": "bombs", "records": [{"data": record}] * 16})
    before = processor_seconds(agent.process.pid)
    for path, body in [("/v1/logs?function=orders", layered), ("/v1/firehose", envelope)]:
        answer = push(agent, path, body)
        assert answer.status == 200, answer
        assert path == "/v1/firehose" or "more bytes than are taken" in answer.body.decode()
    # A debug build takes some seconds for the 64 MiB that are taken at most.
    assert processor_seconds(agent.process.pid) - before < 20
    assert request(agent.address, "GET", "/-/healthy").status == 200


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
