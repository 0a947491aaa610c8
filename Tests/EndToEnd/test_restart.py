"""Totals and open windows continue after a stop; a kill loses two seconds at most, and no process stays behind."""
import json
import re
import signal
import threading
import time

import pytest

from kelvin_host import NANOSECONDS, poll, python_function, request
from load_driver import record_of
from recompute import differences, nanoseconds, recompute

COUNTERS = (
    "lambda_invocations_total", "lambda_errors_total", "lambda_timeouts_total", "lambda_crashes_total",
    "lambda_throttles_total", "lambda_cold_starts_total", "lambda_initializations_total",
    "lambda_concurrency_seconds_total", "lambda_billed_seconds_total", "lambda_invocation_duration_seconds_sum",
    "lambda_invocation_duration_seconds_count", "lambda_invocation_duration_seconds_bucket",
)


def counters(metrics):
    return {key: value for key, value in metrics.values.items() if key[0] in COUNTERS}


def invoke(host, records, what="ok", **fields):
    answer = host.invoke("reports", {"do": what, **fields})
    records.append(record_of("reports", "invoke", what, answer))
    return answer


def test_a_stop_and_a_start(hosts):
    """In one window that stays open over both, and the numbers equal those of the log of the requests."""
    host = hosts({"reports": python_function(timeout="1s", reserved=1)}, window="30s").start()
    records = []
    host.wait_for_room(20)
    for what in ("ok", "error", "ok", "exit", "loop"):
        invoke(host, records, what)
    before, windows = host.metrics(), host.windows("reports").document
    assert not differences(records, windows, 30 * NANOSECONDS)
    assert host.stop() == 0

    host.start()
    assert counters(host.metrics()) == counters(before), "exactly as before"
    again = host.windows("reports").document
    assert not differences(records, again, 30 * NANOSECONDS)
    assert [window["duration"] for window in again["windows"]] == [window["duration"] for window in windows["windows"]]
    assert host.metrics()("lambda_concurrent_executions", function="reports") == 0
    assert host.metrics().total("lambda_instances", function="reports") == 0, "instances ended with their host"
    for what in ("ok", "ok", "error"):
        invoke(host, records, what)
    assert len(recompute(records, 30 * NANOSECONDS)) == 1, "all in one window, which was open when the host stopped"
    assert not differences(records, host.windows("reports").document, 30 * NANOSECONDS)
    assert not differences(records, host.windows().document, 30 * NANOSECONDS)
    metrics = host.metrics()
    assert metrics("lambda_invocations_total", function="reports", trigger="direct") == 8
    assert metrics("lambda_errors_total", function="reports") == 4
    assert metrics("lambda_cold_starts_total", function="reports") == sum(record["cold"] for record in records)
    assert host.windows("reports").largest("instancesMax") == 1


def test_an_agent_alone_shows_what_the_host_left(hosts):
    host = hosts({"reports": python_function(timeout="1s", reserved=1)}, window="30s").start()
    records = []
    for what in ("ok", "error", "loop"):
        invoke(host, records, what)
    before = counters(host.metrics())
    assert host.stop() == 0
    host.command = "agent"
    host.start()
    assert host.host is None
    assert counters(host.metrics()) == before
    assert not differences(records, host.windows("reports").document, 30 * NANOSECONDS)
    assert host.stop() == 0


def test_a_function_that_was_taken_out_is_gone_and_comes_back(hosts):
    """Gone from gauges, limits, claims and status; its counters and windows stay, and go on when it is back."""
    functions = {"reports": python_function(reserved=3), "removed": python_function(reserved=4)}
    host = hosts(functions, window="1s", account=50).start()
    for name in functions:
        assert host.invoke(name, {"do": "error"}).status == 200
    claimed = "lambda_account_claimed_concurrency_max"
    poll(lambda: host.metrics()(claimed) == 7, 20, "both reserves are claimed")
    before = counters(host.metrics())
    assert host.stop() == 0

    configuration = json.loads((host.folder / "kelvin.yaml").read_text())
    whole = json.dumps(configuration)
    del configuration["functions"]["removed"]
    (host.folder / "kelvin.yaml").write_text(json.dumps(configuration))
    for _ in range(2):  # It stays gone over another restart.
        host.start()
        metrics = poll(lambda: next((found for found in [host.metrics()] if found(claimed) == 3), None), 20, "one claim")
        assert counters(metrics) == before, "counters never go down"
        gauges = {
            name for (name, labels) in metrics.values
            if dict(labels).get("function") == "removed" and not re.search(r"_(total|bucket|sum|count)$", name)}
        assert gauges == set()
        assert metrics("lambda_function_info", function="reports") == 1
        status = request(host.agent, "GET", "/api/v1/status").json()
        assert [function["function"] for function in status["functions"]] == ["reports"]
        table = host.run("status", "--agent", f"http://{host.agent}", "--host-url", f"http://{host.host}")
        assert table.returncode == 0 and "removed" not in table.stdout, table
        listed = request(host.agent, "GET", "/api/v1/functions").json()["functions"]
        assert [(function["function"], function.get("gone")) for function in listed] == [
            ("removed", True), ("reports", None)]
        assert host.windows("removed").total("errors") == 1
        assert host.stop() == 0

    (host.folder / "kelvin.yaml").write_text(whole)
    host.start()
    assert host.invoke("removed", {"do": "error"}).status == 200
    metrics = poll(lambda: next((found for found in [host.metrics()] if found(claimed) == 7), None), 20, "both claims")
    assert metrics("lambda_function_info", function="removed") == 1
    assert metrics("lambda_reserved_concurrency", function="removed") == 4
    assert metrics("lambda_errors_total", function="removed") == 2
    assert "gone" not in request(host.agent, "GET", "/api/v1/functions").json()["functions"][0]


def test_a_stop_under_load(hosts):
    """Whatever was answered before the host ended is in the store, to the nanosecond, and nothing else is."""
    host = hosts({"reports": python_function(timeout="20s", reserved=3)}, window="10s").start()
    records, lock = [], threading.Lock()

    def steady():
        while True:
            try:
                answer = host.invoke("reports", {"do": "sleep", "ms": 30})
            except OSError:
                return  # It does not listen any more.
            if answer.status == 503:
                return  # It says that it stops.
            with lock:
                records.append(record_of("reports", "invoke", "sleep", answer))

    threads = [threading.Thread(target=steady) for _ in range(5)]
    for thread in threads:
        thread.start()
    poll(lambda: sum(record["status"] == 200 for record in list(records)) > 60, 60, "some load")
    assert host.stop() == 0
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert {record["status"] for record in records} == {200, 429}
    assert not any(record["failed"] for record in records), "what had begun was finished"
    host.command = "agent"
    host.start()
    assert not differences(records, host.windows("reports").document, 10 * NANOSECONDS)
    assert host.stop() == 0


def test_a_kill(hosts):
    host = hosts({"reports": python_function(timeout="20s")}, window="10s").start()
    records, stop, lock = [], threading.Event(), threading.Lock()

    def steady():
        while not stop.is_set():
            mine = []
            try:
                invoke(host, mine, "sleep", ms=20)
            except OSError:
                return  # The host is gone.
            with lock:
                records.extend(mine)

    def endless():
        with pytest.raises(OSError):
            host.invoke("reports", {"do": "sleep", "ms": 20_000})

    threads = [threading.Thread(target=steady) for _ in range(2)] + [threading.Thread(target=endless)]
    for thread in threads:
        thread.start()
    start = time.monotonic()
    poll(lambda: len(records) > 50 and time.monotonic() - start > 6, 60, "a few checkpoints of load")
    assert len(host.instances()) == 3
    killed_at = time.time_ns()
    host.stop(signal.SIGKILL)  # This checks that no instance is left, too.
    stop.set()
    for thread in threads:
        thread.join(30)

    host.start()
    shown = host.metrics()("lambda_invocations_total", function="reports", trigger="direct")
    certain = [record for record in records if record["end"] <= killed_at - 2 * NANOSECONDS]
    assert len(certain) > 20
    # Those whose answers were under way may be in it.
    assert len(certain) <= shown <= len(records) + 3
    assert host.windows("reports").total("invocations") == shown
    # What ran is over: it does not count for ever.
    assert host.metrics()("lambda_concurrent_executions", function="reports") == 0
    assert host.metrics().total("lambda_instances", function="reports") == 0
    # What was closed before is as it was.
    mine = recompute(records, 10 * NANOSECONDS)
    safe = killed_at - 2 * NANOSECONDS
    for window in host.windows("reports").list:
        start = nanoseconds(window["start"])
        if start in mine and start + 10 * NANOSECONDS <= safe:
            assert window["invocations"] == mine[start]["invocations"]
    # And it counts on.
    host.invoke("reports", {})
    assert host.metrics()("lambda_invocations_total", function="reports", trigger="direct") == shown + 1


def test_a_kill_of_the_host_ends_instances_that_hang(hosts):
    host = hosts({"reports": python_function(timeout="60s")}).start()
    thread = threading.Thread(target=lambda: pytest.raises(OSError, host.invoke, "reports", {"do": "loop"}))
    thread.start()
    poll(lambda: host.metrics()("lambda_concurrent_executions", function="reports") == 1, 15, "it loops")
    assert host.instances()
    host.stop(signal.SIGKILL)
    thread.join(30)
    assert not host.instances()
