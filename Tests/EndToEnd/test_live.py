"""Server-sent events of `GET /api/v1/live`: what is told, to whom, and how it ends."""
import http.client
import json
import signal
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from kelvin_host import poll, python_function, request


class Events:
    """A reader of the stream."""

    def __init__(self, host, *parameters, timeout=30):
        self.connection = http.client.HTTPConnection(host.agent, timeout=timeout)
        self.connection.request("GET", "/api/v1/live?" + urlencode(parameters))
        self.reply = self.connection.getresponse()

    def next(self):
        """The next event; None at the end of the stream."""
        while True:
            line = self.reply.readline()
            if not line:
                return None
            if line.startswith(b"data: "):
                assert self.reply.readline() == b"\n", "an event is one line and an empty one"
                return json.loads(line[6:])

    def until(self, condition, seconds=20):
        """The first event that has something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            event = self.next()
            assert event is not None, "the stream ended"
            if condition(event):
                return event
        raise AssertionError(f"no such event within {seconds} s; the last one: {event}")

    def close(self):
        # `makefile` of http.client holds the socket, too.
        self.reply.close()
        self.connection.close()


@contextmanager
def following(host, *parameters):
    events = Events(host, *parameters)
    try:
        yield events
    finally:
        events.close()


@pytest.fixture(scope="module")
def host(hosts):
    return hosts({"reports": python_function(timeout="20s"), "orders": python_function(timeout="20s")}).start()


def test_the_first_event_comes_at_once_and_equals_the_status(host):
    assert host.invoke("reports", {}).status == 200
    poll(lambda: host.instances(), 10, "an instance is there")
    with following(host, ("function", "reports"), ("function", "nobody"), ("instances", "reports")) as events:
        assert events.reply.headers["Content-Type"] == "text/event-stream"
        event = events.next()
    status = request(host.agent, "GET", "/api/v1/status").json()
    shown = {function["function"]: function for function in status["functions"]}
    assert event["functions"] == [shown["reports"]], "who is not known is left out"
    assert event["account"]["functions"] == len(shown)
    assert event["account"]["concurrencyLimit"] == status["account"]["concurrencyLimit"]
    instances = request(host.agent, "GET", "/api/v1/instances").json()["instances"]
    expected = {each["instance"]: each["invocations"] for each in instances if each["function"] == "reports"}
    assert {each["instance"]: each["invocations"] for each in event["instances"]["shown"]} == expected
    assert event["instances"]["total"] == len(expected)


def test_an_instance_is_seen_busy_idle_and_gone(host):
    assert host.invoke("orders", {}).status == 200
    with following(host, ("function", "orders"), ("instances", "orders")) as events:
        thread = threading.Thread(target=host.invoke, args=("orders", {"do": "sleep", "ms": 2000}))
        thread.start()
        busy = events.until(lambda event: any(each["state"] == "busy" for each in event["instances"]["shown"]))
        assert busy["functions"][0]["concurrentExecutions"] == 1
        assert busy["functions"][0]["instances"]["busy"] == 1
        events.until(lambda event: all(each["state"] == "idle" for each in event["instances"]["shown"]))
        thread.join()
        before = {each["instance"] for each in busy["instances"]["shown"]}
        host.invoke("orders", {"do": "exit"})
        events.until(lambda event: not before <= {each["instance"] for each in event["instances"]["shown"]})


def test_nothing_is_said_while_nothing_happens(host):
    """Only the window moves on: every event but the first has a new one."""
    with following(host, ("function", "reports")) as events:
        first = events.next()
        second = events.next()
    assert first["window"] < second["window"]
    assert first["functions"] == second["functions"]


@pytest.mark.parametrize("query", ["function=", "colour=red", "instances=a&instances=b", "function=%ff"])
def test_what_cannot_be_is_refused(host, query):
    answer = request(host.agent, "GET", f"/api/v1/live?{query}")
    assert (answer.status, answer.json()["error"]["code"]) == (400, "invalid-parameter")


def test_readers_are_bounded_and_those_that_leave_make_room(host):
    readers = []
    try:
        refused = None
        for _ in range(100):
            reader = Events(host, ("function", "reports"))
            if reader.reply.status != 200:
                refused = reader
                break
            assert reader.next() is not None
            readers.append(reader)
        assert refused is not None and refused.reply.status == 503, f"{len(readers)} are taken"
        assert refused.reply.headers["Retry-After"]
        refused.close()
    finally:
        for reader in readers:
            reader.close()

    def is_taken():
        with following(host, ("function", "reports")) as events:
            return events.reply.status == 200

    poll(is_taken, 10, "there is room again")


def test_a_stream_ends_whole_when_the_agent_stops(hosts):
    host = hosts({"reports": python_function()}).start()
    with following(host, ("function", "reports")) as events:
        assert events.next() is not None
        host.process.send_signal(signal.SIGTERM)
        while events.next() is not None:
            pass  # http.client raises IncompleteRead for a stream that is cut.
        assert events.reply.isclosed() or events.reply.read() == b""
    assert host.process.wait(30) == 0
