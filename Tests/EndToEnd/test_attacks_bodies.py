"""Bodies in sum: the host's memory has a bound whatever callers and functions send, and everyone else is answered meanwhile."""
import json
import threading
from pathlib import Path

import pytest

from kelvin_host import poll, python_function, request
from raw_http import Reply, connect, read_reply, send

MEGABYTE = 1_000_000
BODY_BYTES = 6 * MEGABYTE
# What a host may hold while callers send as much as they can: their budget of 192 MiB, and what a debug build needs itself.
HOST_BYTES_MAX = 300 * MEGABYTE
INVOKE = "/2015-03-31/functions/{}/invocations"


@pytest.fixture(scope="module")
def host(hosts):
    # Without isolation, so that the test may speak for an instance: else only its own processes may.
    return hosts({
        "reports": python_function(timeout="60s"),
        "slow": python_function(timeout="60s", memory="256MB"),
        "hostile": python_function(timeout="60s", memory="128MB"),
    }, isolation="none").start()


def memory_bytes(host, what="VmRSS"):
    for line in Path(f"/proc/{host.process.pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {what}")


def head(path, address, length, *lines):
    fields = [f"POST {path} HTTP/1.1", f"Host: {address}", f"Content-Length: {length}", *lines, "", ""]
    return "\r\n".join(fields).encode()


def test_120_bodies_of_6_mb_at_once_have_a_bound_in_sum(host):
    """They are sent but for their last byte, so that all that is taken is held."""
    assert host.invoke("reports", {"do": "ok"}).status == 200
    body = b'"' + b"x" * (BODY_BYTES - 3)
    connections = [connect(host.host) for _ in range(120)]
    threads = []
    for connection in connections:
        # Blocked once the host takes no more.
        payload = head(INVOKE.format("reports"), host.host, BODY_BYTES) + body
        threads.append(threading.Thread(target=send, args=(connection, payload), daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert memory_bytes(host, "VmHWM") < HOST_BYTES_MAX
    # All others are answered: small events, the control plane, scrapes.
    answer = host.invoke("reports", {"do": "ok", "padding": "x" * 10_000})
    assert (answer.status, answer.json()["did"]) == (200, "ok")
    assert request(host.host, "GET", "/2015-03-31/functions").status == 200
    assert host.metrics()("lambda_invocations_total", function="reports", trigger="direct") >= 2
    refused, waiting = [], list(connections)

    def most_are_refused():
        for connection in list(waiting):
            connection.settimeout(0.05)
            try:
                reply = Reply(connection.recv(65536), False)
            except TimeoutError:
                continue  # It is taken, and waits for its last byte.
            except OSError:
                waiting.remove(connection)  # It was reset after its refusal.
                continue
            waiting.remove(connection)
            if reply.status is not None:
                assert (reply.status, reply.field("Retry-After")) == (503, "1"), reply
                assert json.loads(reply.body)["Message"], reply
                refused.append(connection)
        return len(refused) >= 80

    poll(most_are_refused, 20, lambda: f"80 of 120 are refused; {len(refused)} were")
    for connection in connections:
        connection.close()
    # What was held is given back: a large event runs again.
    answer = poll(lambda: (given := large(host)).status == 200 and given, 10, "a large event is taken")
    assert "X-Amz-Function-Error" not in answer.headers, answer


def large(host):
    payload = json.dumps({"do": "ok", "padding": "x" * (BODY_BYTES - 100)})
    return request(host.host, "POST", INVOKE.format("reports"), payload)


def test_bodies_that_are_only_announced_keep_nobody_out(host):
    connections = [connect(host.host) for _ in range(200)]
    for connection in connections:
        send(connection, head(INVOKE.format("reports"), host.host, BODY_BYTES) + b'"')
    assert large(host).status == 200
    assert host.invoke("reports", {"do": "ok"}).status == 200
    for connection in connections:
        connection.close()


def test_a_function_cannot_make_the_host_hold_more_than_its_share(host):
    """Half-sent answers of 16 MiB, on all connections that an instance may have."""
    assert host.invoke("hostile", {"do": "ok"}).status == 200
    api = next(iter(runtime_apis(host, "hostile")))
    before = memory_bytes(host)
    path = "/2018-06-01/runtime/invocation/00000000-0000-0000-0000-000000000000/response"
    length = 16 << 20
    connections = []
    for _ in range(50):
        connection = connect(api)
        connection.settimeout(0.3)
        connections.append(connection)
    payload = head(path, api, length) + b"x" * (length - 1)
    threads = [threading.Thread(target=send, args=(connection, payload), daemon=True) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # Its share is 64 MiB; and a read of each connection is not counted.
    assert memory_bytes(host) - before < 120 * MEGABYTE
    # Other functions' answers, large ones too, do not wait for this one's.
    answer = host.invoke("slow", {"do": "large", "bytes": 5 * MEGABYTE})
    assert answer.status == 200 and len(answer.body) > 5 * MEGABYTE, answer
    # Nor does a small one of its own.
    assert host.invoke("hostile", {"do": "ok"}).json()["did"] == "ok"
    for connection in connections:
        connection.close()
    answer = host.invoke("hostile", {"do": "large", "bytes": 5 * MEGABYTE})
    assert answer.status == 200 and len(answer.body) > 5 * MEGABYTE, answer


def runtime_apis(host, function):
    for process in host.instances():
        try:
            variables = dict(
                variable.split(b"=", 1)
                for variable in Path(f"/proc/{process}/environ").read_bytes().split(b"\0") if b"=" in variable)
        except OSError:
            continue  # It has ended meanwhile.
        if variables.get(b"AWS_LAMBDA_FUNCTION_NAME") == function.encode():
            yield variables[b"AWS_LAMBDA_RUNTIME_API"].decode()


def test_an_error_whose_description_is_large_is_the_functions_own(host):
    """awslambdaric sends it in a header of up to 1 MiB: a long message, and the stack of a recursion."""
    for event, kind in (({"do": "long error", "bytes": 66_000}, "ValueError"), ({"do": "recursion"}, "RecursionError")):
        answer = host.invoke("reports", event)
        assert answer.headers["X-Amz-Function-Error"] == "Unhandled", answer
        assert answer.json()["errorType"] == kind, answer
    assert host.metrics()("lambda_crashes_total", function="reports") == 0


def test_heads_of_a_caller_may_have_1_mib_and_200_fields(host):
    for fields, status in (
        (["X: " + "y" * 900_000], 200), (["X: " + "y" * 1_100_000], 431), (["X: y"] * 150, 200), (["X: y"] * 201, 431),
    ):
        with connect(host.host) as connection:
            send(connection, head(INVOKE.format("reports"), host.host, 2, *fields) + b"{}")
            assert read_reply(connection).status == status, (len(fields), len(fields[0]))


def test_heads_that_do_not_end_have_a_bound_in_sum(host):
    """300 MB of heads, none of them whole."""
    before = memory_bytes(host)
    connections = [connect(host.host) for _ in range(300)]
    start = f"GET / HTTP/1.1\r\nHost: {host.host}\r\nX: ".encode() + b"y" * MEGABYTE
    threads = [threading.Thread(target=send, args=(connection, start), daemon=True) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert memory_bytes(host) - before < HOST_BYTES_MAX
    for connection in connections:
        connection.close()
    assert poll(lambda: host.invoke("reports", {"do": "ok"}).status == 200, 10, "the host answers")
