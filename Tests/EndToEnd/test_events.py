"""Events of other processes: `POST /v1/events` as docs/formats/events.md has it, with curl and with bytes that protoc's Python would make."""
import gzip
import json
import os
import re
import stat
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from event_batches import GZIP, LINES, PROTOBUF, data, numbers, varint
from kelvin_host import REPOSITORY, request

PAGE = (REPOSITORY / "docs" / "formats" / "events.md").read_text()


@pytest.fixture(scope="module")
def agent(hosts):
    made = hosts({"unused": {"command": ["true"]}}, command="agent")
    path = made.folder / "kelvin.yaml"
    configuration = json.loads(path.read_text())
    configuration["agent"]["socket"] = "kelvin.socket"
    path.write_text(json.dumps(configuration))
    return made.start()


def finished(function, start=None, **members):
    """A line, and its request."""
    event = {
        "event": "invocationFinished", "function": function, "request": str(uuid.uuid4()),
        "start": time.time_ns() - 1_000_000_000 if start is None else start, "duration": 0.25, "outcome": "success", **members,
    }
    return json.dumps(event)


def post(agent, body, headers=LINES, path="/v1/events"):
    return request(agent.agent, "POST", path, body, headers)


def invocations(agent, function):
    return agent.metrics().total("lambda_invocations_total", function=function)


def batch(source, sequence, function, requests, instance=None, triggers=None, version=None, extra=b""):
    """A batch of invocations that have finished."""
    start, count = time.time_ns() - 2_000_000_000, len(requests)
    table = (
        data(1, b"".join(requests)) + numbers(2, *[start + number for number in range(count)])
        + numbers(3, *[10_000_000] * count) + data(4, triggers or bytes([4] * count)) + data(5, bytes([2] * count))
        + data(6, bytes(count)) + extra)
    subject = data(1, function.encode()) + (data(2, version.encode()) if version else b"")
    subject += data(3, instance) if instance else b""
    return data(1, source) + varint(2 << 3) + varint(sequence) + data(3, subject + data(9, table))


def some_requests(count):
    return [uuid.uuid4().bytes for _ in range(count)]


def test_the_example_of_the_page_works_as_typed(agent):
    command = re.search(r"```sh\n(curl .*?)\n```", PAGE, re.DOTALL)[1]
    assert "http://127.0.0.1:27315/" in command
    outcome = subprocess.run(
        ["sh", "-c", command.replace("127.0.0.1:27315", agent.agent)], capture_output=True, text=True, timeout=60, check=True)
    assert outcome.stdout == re.search(r"It answers `(.*?)`", PAGE)[1]
    assert invocations(agent, "orders") == 1


def test_the_batch_of_the_page_works_in_both_forms(agent):
    lines = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1]
    text = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
    binary = bytes.fromhex("".join(line.split("#")[0] for line in text.splitlines()))
    shift = time.time_ns() - 60_000_000_000 - 1_795_428_000_000_000_000
    assert shift != 0
    first = post(agent, lines)
    # The page's day is in the future or past of this machine; either way the events are told apart and answered one by one.
    assert first.status == 200 and first.json()["accepted"] + first.json()["rejected"] == 3
    again = post(agent, binary, PROTOBUF)
    assert again.json() == {"accepted": 0, "duplicates": 3, "rejected": 0, "reasons": []}


def test_a_batch_counts_once_in_whatever_form_it_is_sent(agent):
    source, requests = os.urandom(16), some_requests(50)
    body = batch(source, 1, "repeated", requests)
    first = post(agent, gzip.compress(body), {**PROTOBUF, **GZIP})
    assert first.json() == {"accepted": 50, "duplicates": 0, "rejected": 0, "reasons": []}
    # Whoever is answered finds its events.
    assert invocations(agent, "repeated") == 50
    for _ in range(3):
        assert post(agent, body, PROTOBUF).json() == {"accepted": 0, "duplicates": 50, "rejected": 0, "reasons": []}
    assert invocations(agent, "repeated") == 50
    # With another number it is another batch, and its requests are still the same.
    second = post(agent, batch(source, 2, "repeated", requests + some_requests(1)), PROTOBUF)
    assert second.json() == {"accepted": 1, "duplicates": 50, "rejected": 0, "reasons": []}
    assert invocations(agent, "repeated") == 51
    assert agent.metrics()("kelvin_duplicate_batches_total") >= 3


def test_lines_without_a_source_count_once_by_their_requests(agent):
    body = "\n".join(finished("by-request") for _ in range(7))
    assert post(agent, body).json()["accepted"] == 7
    assert post(agent, gzip.compress(body.encode()), {**LINES, **GZIP}).json() == {
        "accepted": 0, "duplicates": 7, "rejected": 0, "reasons": []}
    assert invocations(agent, "by-request") == 7


def test_events_are_rejected_one_by_one_with_reasons(agent):
    lines = [
        finished("rejecting"), "not JSON", finished("rejecting", start=-5), "", finished("rejecting", outcome="maybe"),
        finished("x" * 141), finished("rejecting", start=time.time_ns() + 10**18), finished("rejecting"),
        *['{"event":"born"}'] * 30,
    ]
    before = agent.metrics().total("kelvin_rejected_events_total")
    answer = post(agent, "\n".join(lines)).json()
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (2, 0, 35)
    assert len(answer["reasons"]) == 20
    assert [(reason["index"], reason["reason"]) for reason in answer["reasons"][:6]] == [
        (1, "malformed"), (2, "before-epoch"), (3, "unknown-word"), (4, "function-name"), (5, "future"), (7, "unknown-word")]
    assert answer["reasons"][2]["message"].startswith('line 5: outcome is "maybe"; it is one of success, error, ')
    metrics = agent.metrics()
    assert metrics.total("kelvin_rejected_events_total") - before == 35
    assert metrics("kelvin_rejected_events_total", reason="unknown-word") >= 31
    assert invocations(agent, "rejecting") == 2


def test_columns_that_do_not_fit_cost_their_rows_alone(agent):
    source, requests = os.urandom(16), some_requests(5)
    answer = post(agent, batch(source, 1, "columns", requests, triggers=bytes([0, 99, 2, 3])), PROTOBUF).json()
    assert (answer["accepted"], answer["rejected"]) == (3, 2)
    assert [(reason["index"], reason["reason"]) for reason in answer["reasons"]] == [(1, "unknown-word"), (4, "malformed")]
    # What nobody knows yet is passed over.
    later = batch(source, 2, "columns", some_requests(2), extra=data(15, b"arn:aws:lambda") + numbers(17, 1, 2))
    assert post(agent, later + data(4, b"123456789012"), PROTOBUF).json()["accepted"] == 2
    assert invocations(agent, "columns") == 5


def test_function_and_instance_may_come_from_the_query(agent):
    instance = uuid.uuid4()
    line = json.dumps({
        "event": "instanceStarted", "time": time.time_ns() - 10**9, "initializationType": "on-demand",
        "memoryLimitBytes": 1 << 27})
    path = f"/v1/events?function=asked%3Alive&instance={instance}"
    assert post(agent, line, path=path).json()["accepted"] == 1
    found = request(agent.agent, "GET", "/api/v1/instances").json()["instances"]
    assert [(one["function"], one["version"]) for one in found if one["instance"] == str(instance)] == [("asked", "live")]


@pytest.mark.parametrize("body, headers, path, status, code", [
    (b"{}", {}, "/v1/events", 415, "unsupported-type"),
    (b"{}", {"Content-Type": "text/plain"}, "/v1/events", 415, "unsupported-type"),
    (b"{}", {**LINES, "Content-Encoding": "br"}, "/v1/events", 415, "unsupported-coding"),
    (b"{}", LINES, "/v1/events?functoin=f", 400, "invalid-parameter"),
    (b"{}", LINES, "/v1/events?instance=i-1", 400, "invalid-parameter"),
    (b"", PROTOBUF, "/v1/events?function=f", 400, "invalid-parameter"),
    (b"", PROTOBUF, "/v1/events", 400, "invalid-batch"),
    (b"no protobuf", PROTOBUF, "/v1/events", 400, "invalid-batch"),
    (b'{"source":"x","sequence":1}', LINES, "/v1/events", 400, "invalid-batch"),
    (b"{}\n" * 10_001, LINES, "/v1/events", 413, "too-many-events"),
    (b" " * (6 << 20) + b"{}", LINES, "/v1/events", 413, "body-too-large"),
    (gzip.compress(b"\n" * (70 << 20)), {**LINES, **GZIP}, "/v1/events", 413, "body-too-large"),
    (gzip.compress(b"\n" * (20 << 20)), {**LINES, **GZIP}, "/v1/events", 413, "body-too-large"),
])
def test_what_cannot_be_taken_is_refused_with_a_code(agent, body, headers, path, status, code):
    answer = post(agent, body, headers, path)
    assert answer.status == status, answer
    assert answer.json()["error"]["code"] == code
    assert request(agent.agent, "GET", "/-/ready").status == 200


def test_a_body_that_is_no_gzip_is_refused(agent):
    assert post(agent, b"not gzip", {**LINES, **GZIP}).status == 400
    whole = gzip.compress(finished("truncated-gzip").encode())
    assert post(agent, whole[:-9], {**LINES, **GZIP}).status == 400
    assert "truncated-gzip" not in request(agent.agent, "GET", "/metrics").body.decode()


def test_a_page_of_another_origin_cannot_send(agent):
    answer = post(agent, finished("foreign"), {**LINES, "Origin": "https://example.com"})
    assert answer.status == 403
    assert post(agent, b"", {}, "/metrics").status == 405
    assert request(agent.agent, "GET", "/v1/events").status == 405


def test_the_socket_answers_the_same_paths_for_its_own_user_alone(agent):
    path = agent.folder / "kelvin.socket"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_ISSOCK(path.stat().st_mode)
    outcome = subprocess.run(
        ["curl", "--silent", "--unix-socket", path, "--data-binary", finished("by-socket"), "-H",
         "Content-Type: application/x-ndjson", "http://localhost/v1/events"],
        capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(outcome.stdout)["accepted"] == 1
    assert invocations(agent, "by-socket") == 1


def test_sources_are_shown_with_what_was_heard_of_them(agent):
    source = os.urandom(16)
    for sequence in (1, 2, 5, 5):
        assert post(agent, batch(source, sequence, "shown", some_requests(3)), PROTOBUF).status == 200
    name = source.hex()
    status = request(agent.agent, "GET", "/api/v1/status").json()
    shown = next(one for one in status["sources"] if one["source"] == name)
    assert (shown["events"], shown["rejected"], shown["duplicateBatches"], shown["missingBatches"]) == (9, 0, 1, 2)
    assert 0 < shown["lagSeconds"] < 60
    metrics = agent.metrics()
    assert metrics("kelvin_source_events_total", source=name) == 9
    assert metrics("kelvin_source_missing_batches_total", source=name) == 2
    assert abs(metrics("kelvin_source_last_heard_timestamp_seconds", source=name) - time.time()) < 60
    said = agent.run("status", "--host-url", "127.0.0.1:1")
    text = said.stdout + said.stderr
    assert f"source {name}: heard " in text and "9 events, 1 duplicate batch, 2 missing batches" in text, text


def test_what_was_acknowledged_survives_a_kill_and_a_restart(agent):
    source, requests = os.urandom(16), some_requests(40)
    body = batch(source, 1, "killed", requests)
    assert post(agent, body, PROTOBUF).json()["accepted"] == 40
    agent.process.kill()
    agent.process.wait(10)
    agent.start()
    assert invocations(agent, "killed") == 40
    assert post(agent, body, PROTOBUF).json()["duplicates"] == 40
    assert invocations(agent, "killed") == 40
