"""Functions that break every rule: their callers get a clear error, and a neighbour that is called all the while notices nothing."""
import contextlib
import os
import sys
import threading
import time

import pytest

from kelvin_host import REPOSITORY, poll, processes_with

pytestmark = pytest.mark.both

FIXTURES = REPOSITORY / "Tests" / "FunctionHostTests" / "Fixtures"
COMMAND = [sys.executable, "-S", "-E", "function.py"]


def function(**settings):
    """The settings of the host's own test function, which does what its event says."""
    return {"command": COMMAND, "directory": str(FIXTURES), "timeout": "20s", **settings}


@pytest.fixture(scope="module")
def host(hosts, tmp_path_factory):
    # An instance has a /tmp of its own, in which it sees what its variables name.
    folder = {"FOLDER": str(tmp_path_factory.getbasetemp())}
    return hosts({
        "neighbour": function(),
        "bad": function(environment=folder),
        "hasty": function(timeout="1s"),
        "silent": function(timeout="1s", environment={"INIT": "hang"}),
        "hungry": function(memory="128MB"),
        "collector": function(temporaryStorage="16MB"),
    }).start()


@contextlib.contextmanager
def neighbour(host):
    """Calls another function all the while: each call is answered rightly, and within a time that a timeout would exceed."""
    stop, answers, problems = threading.Event(), [], []

    def call():
        number = 0
        while not stop.is_set():
            number += 1
            start = time.monotonic()
            try:
                answer = host.invoke("neighbour", {"number": number})
                if answer.status != 200 or answer.json() != {"number": number}:
                    problems.append(answer)
            except OSError as error:
                problems.append(error)
            answers.append(time.monotonic() - start)

    assert host.invoke("neighbour", {}).status == 200
    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
        seen = len(answers)
        poll(lambda: len(answers) > seen + 3, 20, "the neighbour is answered afterwards, too")
    finally:
        stop.set()
        thread.join()
    assert not problems, problems[:5]
    assert max(answers) < 5, f"of {len(answers)} calls the slowest took {max(answers)} s"


def failed(answer, error_type):
    assert (answer.status, answer.headers["X-Amz-Function-Error"]) == (200, "Unhandled"), answer
    assert answer.json()["errorType"] == error_type, answer
    return answer.json()["errorMessage"]


def resident(pid, field="VmRSS"):
    """Bytes of memory of a process."""
    with open(f"/proc/{pid}/status", encoding="utf8") as status:
        (line,) = (line for line in status if line.startswith(field))
    return int(line.split()[1]) * 1024


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_one_that_never_asks_for_an_event(host):
    with neighbour(host):
        answer = host.invoke("silent", {})
        assert "Task timed out after 1.00 seconds" in failed(answer, "Sandbox.Timedout")
        assert host.url("silent").status == 504
    assert host.metrics()("lambda_timeouts_total", function="silent", source="init") == 2


def test_one_that_asks_twice(host):
    with neighbour(host):
        assert host.invoke("bad", {"do": "next-twice"}).json() == {"same": True}
        # An event that comes between the two calls is the first one's, and then the second is given the same.
        def second_call():
            assert host.invoke("bad", {"do": "two-nexts"}).status == 200
            return host.invoke("bad", {"do": "second-next"}).json()

        poll(lambda: second_call() == 403, 20, "the second call is refused")


def test_one_that_answers_wrongly(host):
    with neighbour(host):
        assert host.invoke("bad", {"do": "wrong-id"}).json()["wrong"] == 400
        assert host.invoke("bad", {"do": "twice"}).json() == "first"
        assert host.invoke("bad", {"do": "last"}).json() == 403
        failed(host.invoke("bad", {"do": "big", "bytes": 7_000_000}), "Function.ResponseSizeTooLarge")
        failed(host.invoke("bad", {"do": "big", "bytes": 30_000_000}), "Function.ResponseSizeTooLarge")
        failed(host.invoke("bad", {"do": "truncate", "closes": True}), "Runtime.TruncatedResponse")

        # An instance that is slow to ask for its next event may not be the one that is asked then.
        def told():
            failed(host.invoke("bad", {"do": "truncate"}), "Runtime.TruncatedResponse")
            return "TruncatedHTTPRequest" in (host.invoke("bad", {"do": "last"}).json() or "")

        poll(told, 20, "the runtime is told")
        assert host.url("bad", "/?do=truncate").status == 502


def test_one_that_forks_and_exits(host, tmp_path):
    file = tmp_path / "children"
    host.invoke("neighbour", {})
    with neighbour(host):
        before = set(host.instances())
        answer = host.invoke("bad", {"do": "fork-and-exit", "file": str(file)})
        assert "exit status 3" in failed(answer, "Runtime.ExitError")
        assert file.read_text() == "a child\n" * 2
        poll(lambda: set(host.instances()) <= before, 20, "its children are ended with it")


def test_one_that_ignores_sigterm(hosts):
    host = hosts({"neighbour": function(), "bad": function(timeout="1s")}).start()
    host.invoke("neighbour", {})
    with neighbour(host):
        before = set(host.instances())
        assert host.invoke("bad", {"do": "ignore-terminate"}).status == 200
        failed(host.invoke("bad", {"do": "loop"}), "Sandbox.Timedout")
        poll(lambda: set(host.instances()) <= before, 20, "it is ended at its timeout")
        assert host.invoke("bad", {"do": "ignore-terminate"}).status == 200
    assert host.stop() == 0, "and with its host"


def test_one_that_eats_memory(host):
    with neighbour(host):
        answer = host.invoke("hungry", {"do": "eat", "bytes": 400_000_000})
        assert "signal: killed" in failed(answer, "Runtime.ExitError")
        assert host.invoke("hungry", {"do": "eat", "bytes": 1_000_000}).json() == 1_000_000
    metrics = host.metrics()
    assert metrics("lambda_out_of_memory_total", function="hungry") == 1
    assert metrics("lambda_out_of_memory_total", function="neighbour") == 0


def test_one_that_fills_tmp(host):
    with neighbour(host):
        if host.isolation()["temporaryStorage"] == "file-system":
            full = host.invoke("collector", {"do": "fill", "bytes": 64 * 2**20}).json()
            assert full["error"] == "ENOSPC" and 15 * 2**20 <= full["written"] <= 16 * 2**20
        else:
            # A quota is looked at once a second.
            host.invoke("collector", {"do": "fill", "bytes": 64 * 2**20})
            poll(lambda: "more temporary files than its limit" in host.said(), 30, "the quota is checked")
        assert host.invoke("neighbour", {"do": "fill", "bytes": 64 * 2**20}).json()["error"] is None
        assert host.invoke("collector", {"do": "fill", "bytes": 2**20}).json()["error"] is None, "it goes on"


def test_one_that_writes_a_gigabyte(host):
    host.invoke("bad", {})
    before = resident(host.process.pid)
    with neighbour(host):
        answer = host.invoke("bad", {"do": "pour", "bytes": 1_000_000_000})
        assert answer.json() >= 1_000_000_000
    assert resident(host.process.pid, "VmHWM") - before < 64 * 2**20


def test_one_that_opens_ten_thousand_connections(host):
    host.invoke("bad", {})
    before = open_files(host.process.pid)
    with neighbour(host):
        assert host.invoke("bad", {"do": "connections", "count": 10_000}).json() == {"opened": 10_000, "refused": True}
        assert host.invoke("bad", {"number": 1}).json() == {"number": 1}, "it is served as before"
    poll(lambda: open_files(host.process.pid) <= before + 10, 20, "its connections are closed")


def test_one_that_never_comes_back(host):
    with neighbour(host):
        assert host.invoke("hasty", {"do": "hang-after"}).status == 200
        assert host.invoke("hasty", {"number": 2}).json() == {"number": 2}
        poll(
            lambda: host.metrics()("lambda_instance_stops_total", function="hasty", reason="timeout") == 1, 20,
            "it is ended")


def test_nothing_is_left_of_them(host):
    assert host.stop() == 0
    assert not processes_with(host.mark)
