"""Windows while something runs: what is seen before an invocation has ended, and what its end changes."""
import http.client
import json
import threading
import time
from decimal import Decimal

from kelvin_host import NANOSECONDS, poll, python_function, rfc3339
from load_driver import record_of
from recompute import differences, recompute


def test_an_execution_counts_while_it_runs(hosts):
    """It lasts over several windows: each has its concurrency at once, and the first has the invocation once it ended."""
    host = hosts({"reports": python_function(timeout="20s")}, window="1s").start()
    assert host.invoke("reports", {}).status == 200
    warm = host.windows("reports").total("invocations")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(host.invoke("reports", {"do": "sleep", "ms": 5000})))
    begin = time.time_ns()
    thread.start()

    def whole():
        """Closed windows that it fills from end to end."""
        return [
            window for window in host.windows("reports").list
            if window["closed"] and rfc3339(window["start"]) > begin + NANOSECONDS // 2 and window["concurrencyMax"]]

    poll(lambda: len(whole()) >= 2, 10, "two windows are closed while it runs")
    assert thread.is_alive(), "it still runs"
    for window in whole()[:2]:
        assert window["concurrencyMax"] == 1
        assert window["concurrencySeconds"] == Decimal(1)
        assert (window["invocations"], window["duration"]["count"]) == (0, 0)
    assert host.windows("reports").total("invocations") == warm, "it counts when it has ended"
    metrics = host.metrics()
    assert metrics("lambda_concurrent_executions", function="reports") == 1
    assert metrics("lambda_instances", function="reports", state="busy") == 1
    assert metrics("lambda_concurrent_executions_max", function="reports") == 1
    thread.join()
    record = record_of("reports", "invoke", "sleep", answers[0])
    windows = host.windows("reports")
    first = windows.at(record["start"])
    assert first["invocations"] >= 1, "in the window of its start, which was closed long ago"
    assert first["duration"]["max"] * NANOSECONDS == record["end"] - record["handover"]
    mine = recompute([record], NANOSECONDS)
    assert len(mine) >= 5
    for start, window in mine.items():
        if start > begin:
            assert windows.at(start)["concurrencySeconds"] * NANOSECONDS == window["concurrencyNanoseconds"]
    assert host.metrics()("lambda_concurrent_executions", function="reports") == 0


def test_a_caller_that_goes_away(hosts):
    """The invocation runs to its end and counts, and its slot is free again."""
    host = hosts({"reports": python_function(timeout="20s", reserved=1)}, window="10s").start()
    connection = http.client.HTTPConnection(host.host, timeout=30)
    connection.request(
        "POST", "/2015-03-31/functions/reports/invocations", json.dumps({"do": "sleep", "ms": 1000}))
    poll(lambda: host.metrics()("lambda_concurrent_executions", function="reports") == 1, 15, "it runs")
    connection.close()
    assert host.invoke("reports", {}).status == 429, "the slot is still held"
    poll(lambda: host.metrics()("lambda_concurrent_executions", function="reports") == 0, 15, "it has ended")
    windows = host.windows("reports")
    assert (windows.total("invocations"), windows.total("errors"), windows.total("throttles")) == (1, 0, 1)
    assert host.invoke("reports", {}).status == 200


def test_one_client_needs_one_instance(hosts):
    """Requests one after the other on one connection never start a second instance, however fast they come."""
    host = hosts({"reports": python_function()}, window="10s").start()
    connection = http.client.HTTPConnection(host.host, timeout=30)
    records = []
    for _ in range(300):
        connection.request("POST", "/2015-03-31/functions/reports/invocations", b"{}")
        reply = connection.getresponse()
        reply.body = reply.read()
        records.append(record_of("reports", "invoke", "ok", reply))
    connection.close()
    assert sum(record["cold"] for record in records) == 1
    windows = host.windows("reports")
    assert windows.largest("instancesMax") == 1
    assert windows.total("initializations") == 1
    assert not differences(records, windows.document, 10 * NANOSECONDS)
