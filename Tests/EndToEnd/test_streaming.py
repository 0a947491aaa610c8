"""Answers that come piece by piece: function URLs, InvokeWithResponseStream, and callers who want them whole."""
import hashlib
import http.client
import json
import re
import sys
import time
from pathlib import Path

import pytest

from kelvin_host import FUNCTIONS, poll

FUNCTION = {"command": [sys.executable, "streamer.py"], "directory": str(FUNCTIONS), "memory": 256}


@pytest.fixture(scope="module")
def host(hosts):
    functions = {
        "live": {**FUNCTION, "responseMode": "stream", "timeout": "2s"},
        "large": {**FUNCTION, "invokeMode": "RESPONSE_STREAM", "timeout": "60s"},
        "whole": {**FUNCTION, "timeout": "5s"},
    }
    return hosts(functions).start()


@pytest.fixture(scope="module")
def boto(host, client):
    return client(host)


def get(host, function, event, method="POST"):
    """The response of a function URL before its body, and its connection."""
    connection = http.client.HTTPConnection(host.host, timeout=60)
    connection.request(method, f"/url/{function}/", json.dumps(event))
    return connection, connection.getresponse()


def memory(host):
    """The host's, in bytes."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{host.process.pid}/status").read_text())[1]) << 10


def test_a_prelude_says_status_header_fields_and_cookies(host):
    prelude = {"statusCode": 201, "headers": {"Content-Type": "text/plain", "X-Own": "yes"}, "cookies": ["a=1", "b=2"]}
    for event in ({"prelude": prelude, "bytes": 1000}, {"prelude": prelude, "bytes": 1000, "splitPrelude": True}):
        _, reply = get(host, "live", event)
        assert (reply.status, reply.headers["Content-Type"], reply.headers["X-Own"]) == (201, "text/plain", "yes")
        assert reply.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert reply.headers["Transfer-Encoding"] == "chunked"
        assert len(reply.read()) == 1000


def test_without_a_prelude_all_of_it_is_the_body(host):
    _, reply = get(host, "live", {"bytes": 300, "contentType": "text/csv"})
    assert (reply.status, reply.headers["Content-Type"], len(reply.read())) == (200, "text/csv", 300)
    _, reply = get(host, "live", {})
    assert (reply.status, reply.headers["Content-Type"], reply.read()) == (200, "application/octet-stream", b"")


def test_server_sent_events_arrive_when_they_are_sent(host):
    event = {"prelude": {"headers": {"Content-Type": "text/event-stream"}}, "events": 5, "pause": 0.1}
    _, reply = get(host, "live", event)
    assert reply.headers["Content-Type"] == "text/event-stream"
    late = []
    for number in range(5):
        name, seen, sent = reply.readline().split()
        late.append(time.time_ns() - int(sent))
        assert (name, seen) == (b"data:", str(number).encode())
        assert reply.readline() == b"\n"
    assert sorted(late)[2] < 50_000_000, late
    assert reply.read() == b""


def test_an_answer_that_is_not_streamed_is_mapped_as_ever(host):
    _, reply = get(host, "live", {"whole": {"statusCode": 418, "body": "short"}})
    assert (reply.status, reply.read()) == (418, b"short")


def test_much_passes_with_little_memory_and_is_cut_off_above_200_megabytes(host):
    _, reply = get(host, "large", {"bytes": 40 << 20})
    assert hashlib.sha256(reply.read()).digest() == hashlib.sha256(bytes(range(256)) * (40 << 12)).digest()
    before = highest = memory(host)
    limit = 200 << 20
    _, reply = get(host, "large", {"bytes": limit + 1})
    count = 0
    with pytest.raises(http.client.IncompleteRead):
        while piece := reply.read(1 << 18):
            count += len(piece)
            if count % (1 << 22) < len(piece):
                highest = max(highest, memory(host))
    assert limit - (1 << 20) < count <= limit
    assert highest - before < 5 << 20, (before, highest)


def test_a_slow_reader_holds_its_function_back(host):
    before = memory(host)
    _, reply = get(host, "large", {"bytes": 20 << 20})
    assert len(reply.read(1000)) == 1000
    time.sleep(0.3)
    assert memory(host) - before < 5 << 20
    assert len(reply.read()) == (20 << 20) - 1000


@pytest.mark.parametrize("ending, outcome", [
    ("die", "crashes"), ("hang", "timeouts"), ("fail", "errors"), ("close", "errors")])
def test_what_breaks_in_the_middle_is_not_taken_for_whole(host, ending, outcome):
    before = host.windows("live").total(outcome)
    _, reply = get(host, "live", {"prelude": {"statusCode": 200}, "bytes": 100_000, "then": ending})
    assert reply.status == 200
    with pytest.raises(http.client.IncompleteRead) as cut:
        reply.read()
    assert len(cut.value.partial) <= 100_000
    poll(lambda: host.windows("live").total(outcome) == before + 1, 5, f"{outcome} has one more")


def test_a_failure_before_the_first_byte_is_an_answer_of_its_own(host):
    _, reply = get(host, "live", {"then": "die"})
    assert (reply.status, reply.read()) == (502, b"Internal Server Error")
    _, reply = get(host, "live", {"prelude": {"statusCode": 99}, "bytes": 10})
    assert (reply.status, reply.read()) == (502, b"Internal Server Error")


def test_the_function_runs_on_when_its_caller_has_gone(host):
    before = host.windows("live")
    connection, reply = get(host, "live", {"prelude": {}, "events": 10, "pause": 0.02})
    reply.readline()
    connection.close()
    reply.close()
    poll(lambda: host.windows("live").total("invocations") - before.total("invocations") == 1, 5, "it ended")
    assert host.windows("live").total("errors") == before.total("errors")


def stream(boto, event, **options):
    answer = boto.invoke_with_response_stream(FunctionName="whole", Payload=json.dumps(event), **options)
    events = list(answer["EventStream"])
    chunks = b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event)
    return chunks, events[-1].get("InvokeComplete")


def test_boto3_reads_a_stream_of_events(boto):
    chunks, complete = stream(boto, {"bytes": 8 << 20}, LogType="Tail")
    assert len(chunks) == 8 << 20
    assert "ErrorCode" not in complete and complete["LogResult"]
    chunks, complete = stream(boto, {"bytes": 1000, "then": "fail"})
    assert len(chunks) == 1000
    assert json.loads(complete["ErrorDetails"]) == {
        "errorMessage": "half of it", "errorType": "Halfway", "stackTrace": []}
    chunks, complete = stream(boto, {"bytes": 1000, "then": "die"})
    assert json.loads(complete["ErrorDetails"])["errorType"] == "Runtime.ExitError"
    chunks, complete = stream(boto, {"then": "die"})
    assert (chunks, json.loads(complete["ErrorDetails"])["errorType"]) == (b"", "Runtime.ExitError")


def test_who_wants_it_whole_gets_it_whole(host, boto):
    answer = boto.invoke(FunctionName="whole", Payload=json.dumps({"bytes": 6_291_556}))
    assert len(answer["Payload"].read()) == 6_291_556 and "FunctionError" not in answer
    answer = boto.invoke(FunctionName="whole", Payload=json.dumps({"bytes": 6_291_557}))
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"
    answer = boto.invoke(FunctionName="whole", Payload=json.dumps({"bytes": 10, "then": "fail"}))
    assert (answer["FunctionError"], json.loads(answer["Payload"].read())["errorMessage"]) == ("Unhandled", "half of it")
    _, reply = get(host, "whole", {"prelude": {"statusCode": 203, "headers": {"X-Own": "1"}}, "bytes": 500})
    assert (reply.status, reply.headers["X-Own"], reply.headers["Content-Length"], len(reply.read())) == (
        203, "1", "500", 500)


def test_the_control_plane_tells_the_mode(boto):
    mode = {name: boto.get_function_url_config(FunctionName=name, Qualifier="current")["InvokeMode"]
            for name in ("live", "whole")}
    assert mode == {"live": "RESPONSE_STREAM", "whole": "BUFFERED"}
