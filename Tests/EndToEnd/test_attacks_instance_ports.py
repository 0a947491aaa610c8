"""Whoever knocks on the ports of instances, as a scan of all ports does, gets no event and disturbs no instance."""
import json
import socket
import threading
from pathlib import Path

import pytest

from kelvin_host import poll, python_function, request

NEXT = "/2018-06-01/runtime/invocation/next"
COUNT = 5
SLEEP = {"do": "sleep", "ms": 700}


def listeners(pid):
    """Addresses and ports of IPv4 on which a process listens."""
    mine = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            mine.add(str(descriptor.readlink()))
        except OSError:
            continue  # It was closed meanwhile.
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:
            address, port = fields[1].split(":")
            found.append((socket.inet_ntoa(bytes.fromhex(address)[::-1]), int(port, 16)))
    return found


@pytest.fixture(scope="module")
def host(hosts):
    return hosts({"f": python_function(timeout="20s")}).start()


def at_once(host, count=COUNT):
    """Invokes the function so often at once; who answered."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(host.invoke("f", SLEEP))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * count, answers
    assert not [answer for answer in answers if answer.headers["X-Amz-Function-Error"]], answers
    return {answer.json()["instance"] for answer in answers}


@pytest.fixture(scope="module")
def idle(host):
    """Five instances that are idle."""
    seen = at_once(host)
    assert len(seen) == COUNT

    def are_idle():
        states = [each["state"] for each in request(host.agent, "GET", "/api/v1/instances").json()["instances"]]
        return states == ["idle"] * COUNT

    poll(are_idle, 20, "all are idle")
    return seen


@pytest.fixture(scope="module")
def ports(host, idle):
    """Where the instances listen."""
    own = [("127.0.0.1", int(host.host.split(":")[1])), ("127.0.0.1", int(host.agent.split(":")[1]))]
    ports = [place for place in listeners(host.process.pid) if place not in own]
    assert len(ports) == COUNT
    return ports


def assert_undisturbed(host, idle):
    """The same instances answer, none was started, and nothing went wrong."""
    assert at_once(host) == idle
    metrics = host.metrics()
    assert metrics.total("lambda_initializations_total", function="f") == COUNT
    assert metrics.total("lambda_instance_stops_total", function="f") == 0
    for name in ("lambda_errors_total", "lambda_crashes_total", "lambda_timeouts_total"):
        assert metrics.total(name, function="f") == 0


def knock(place, method, path, body=None):
    return request(f"{place[0]}:{place[1]}", method, path, body, timeout=10)


def test_instances_do_not_listen_where_a_scan_looks(host, idle, ports):
    assert all(address.startswith("127.") and address != "127.0.0.1" for address, _ in ports)
    assert len({address for address, _ in ports}) == COUNT
    for _, port in ports:
        with pytest.raises(OSError):
            knock(("127.0.0.1", port), "GET", NEXT)
    assert_undisturbed(host, idle)


@pytest.mark.parametrize("method, path, body", [
    ("GET", NEXT, None),
    ("POST", "/2018-06-01/runtime/init/error", "{}"),
    ("POST", "/2018-06-01/runtime/invocation/01234567-89ab-cdef-0123-456789abcdef/response", "1"),
    ("PUT", "/kelvin/v1/configuration", json.dumps({"timeoutNanoseconds": 1_000_000})),
    ("PUT", "/kelvin/v1/warmup", json.dumps({"durationNanoseconds": 1})),
    ("POST", "/2020-01-01/extension/register", json.dumps({"events": ["INVOKE"]})),
])
def test_who_knows_the_place_is_refused(host, idle, ports, method, path, body):
    """The kernel tells every process of this machine where others listen."""
    for place in ports:
        answer = knock(place, method, path, body)
        assert answer.status == 403 and answer.json()["errorType"] == "AccessDenied", answer
    assert_undisturbed(host, idle)


def test_connections_of_strangers_take_nobodys_place(host, idle, ports):
    """Silent ones, half a request each, and those that are gone before an answer."""
    held = []
    for place in ports:
        for index in range(100):
            connection = socket.create_connection(place, timeout=10)
            if index % 3 == 1:
                connection.sendall(b"GET " + NEXT.encode() + b" HTTP/1.1\r\nHost: a\r\nX-Half: ")
            if index % 3 == 2:
                connection.sendall(f"GET {NEXT} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                connection.close()
            else:
                held.append(connection)
    try:
        assert_undisturbed(host, idle)
    finally:
        for connection in held:
            connection.close()
    assert_undisturbed(host, idle)


def test_another_function_is_a_stranger_too(hosts):
    """An instance of one function knocks on the ports of another one's."""
    host = hosts({"victim": python_function(), "knocker": python_function()}).start()
    first = host.invoke("victim", {}).json()["instance"]
    places = [list(place) for place in listeners(host.process.pid) if place[0] != "127.0.0.1"]
    assert len(places) == 1
    answer = host.invoke("knocker", {"do": "knock", "place": places[0], "path": NEXT})
    assert answer.json() == 403, answer
    assert host.invoke("victim", {}).json()["instance"] == first
