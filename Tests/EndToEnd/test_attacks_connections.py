"""Connections that keep others out: thousands that say nothing, heads and bodies that come a byte at a time, few descriptors."""
import re
import resource
import time
from pathlib import Path

import pytest

from kelvin_host import KelvinHost, python_function, request
from raw_http import connect, read_reply, send

FEW_FILES = 1024


@pytest.fixture(scope="module", autouse=True)
def files():
    """As many descriptors for this process as it may have."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield limits[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture(scope="module")
def host(hosts):
    return hosts({"reports": python_function(timeout="60s")}).start()


def close(connections):
    for connection in connections:
        connection.close()


def test_idle_connections_keep_nobody_out(host, files):
    """10,000 in all, or as many as this machine lets the test have: the oldest idle ones make room."""
    count = min(5_000, (files - 200) // 2)
    connections = []
    for address in (host.agent, host.host):
        connections += [connect(address) for _ in range(count)]
        began = time.monotonic()
        assert host.metrics()("lambda_invocations_total", function="reports", trigger="direct") >= 0
        assert host.invoke("reports", {"do": "ok"}).json()["did"] == "ok"
        assert time.monotonic() - began < 10
    close(connections)


@pytest.mark.parametrize("command", ["agent", "host"])
def test_a_low_soft_limit_of_files_is_raised_before_shares_are_taken(kelvin, tmp_path, files, command):
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, files))
    try:
        server = KelvinHost(kelvin, tmp_path / "host", {"reports": python_function()}, command=command)
        with server:
            limits = Path(f"/proc/{server.process.pid}/limits").read_text()
            assert re.search(r"Max open files +(\d+) +(\d+)", limits).groups() == (str(files), str(files))
            # An eighth of 512 would be 64.
            connections = [connect(server.agent) for _ in range(100)]
            for connection in connections:
                send(connection, b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert [read_reply(connection).status for connection in connections] == [200] * 100
            close(connections)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def test_heads_that_come_slowly_keep_nobody_out(host):
    """More of them than either port has places for a 1,024-file process; each has sent half a head."""
    connections = []
    for address in (host.agent, host.host):
        for _ in range(1_200):
            connection = connect(address)
            send(connection, b"GET /metrics HTTP/1.1\r\nHost: local")
            connections.append(connection)
        assert request(host.agent, "GET", "/metrics").status == 200
        assert host.invoke("reports", {"do": "ok"}).status == 200
    close(connections)


def test_bodies_that_come_slowly_keep_nobody_out(host):
    connections = []
    for _ in range(1_200):
        connection = connect(host.host)
        send(connection, (
            "POST /2015-03-31/functions/reports/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{"
        ).encode())
        connections.append(connection)
    assert host.invoke("reports", {"do": "ok"}).status == 200
    assert request(host.agent, "GET", "/metrics").status == 200
    close(connections)


def test_callers_cannot_take_every_descriptor(kelvin, tmp_path):
    """With 1,024 files and more callers than that: instances start, scrapes are answered, and who waits for an answer gets it."""
    functions = {"reports": python_function(timeout="60s", reserved=3), "fresh": python_function(timeout="60s")}
    with KelvinHost(kelvin, tmp_path, functions, open_files=FEW_FILES) as host:
        event = b'{"do": "sleep", "ms": 3000}'
        busy = [connect(host.host) for _ in range(3)]
        for connection in busy:
            send(connection, (
                "POST /2015-03-31/functions/reports/invocations HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Length: {len(event)}\r\n\r\n").encode() + event)
        idle = [connect(host.host) for _ in range(1_100)]
        assert request(host.agent, "GET", "/metrics").status == 200
        assert host.invoke("fresh", {"do": "ok"}).json()["did"] == "ok"
        for connection in busy:
            assert read_reply(connection, 60).status == 200
        close(busy + idle)
        assert "too many files" not in host.said()
