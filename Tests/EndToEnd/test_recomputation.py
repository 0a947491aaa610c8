"""The rollups of a recorded run equal those that an independent script computes from the log of the load driver."""
import copy
import json
import subprocess
import sys
from decimal import Decimal

import pytest

from kelvin_host import HERE, NANOSECONDS, ORDERS, ORDERS_FOLDER, node_function, poll, python_function
from load_driver import LoadDriver
from recompute import differences, outcome, recompute

WINDOW = 5 * NANOSECONDS
FUNCTIONS = {
    "reports": [
        ("invoke", "ok", {}, 10), ("invoke", "sleep", {"ms": 120}, 5), ("invoke", "error", {}, 3),
        ("invoke", "exit", {}, 0.6), ("invoke", "loop", {}, 0.3), ("url", "ok", {}, 5),
        ("url", "sleep", {"ms": 40}, 5), ("url", "error", {}, 1), ("url", "exit", {}, 0.5), ("url", "loop", {}, 0.3),
    ],
    "invoices": [("invoke", "sleep", {"ms": 250}, 5), ("url", "sleep", {"ms": 150}, 5), ("invoke", "ok", {}, 5)],
    "thumbnails": [("invoke", "ok", {"ms": 20}, 10), ("url", "ok", {}, 10), ("invoke", "ok", {"fail": "1"}, 1)],
    "orders": [
        ("url", "/", {"item": "pear"}, 10), ("url", "/slow", {"ms": 60}, 8), ("url", "/error", {}, 1),
        ("url", "/crash", {}, 0.3), ("url", "/slow", {"ms": 3000}, 0.3), ("url", "/stuck", {"ms": 1500}, 0.3),
    ],
}
# Beside what chance brings: cold bursts, bursts over each limit, and each way to end at least once.
BURSTS = [
    (0.5, 4, "invoices", "invoke", "sleep", {"ms": 400}),
    (2.0, 1, "reports", "invoke", "loop", {}),
    (4.0, 2, "orders", "url", "/stuck", {"ms": 2000}),
    (6.2, 12, "invoices", "invoke", "sleep", {"ms": 300}),
    (9.7, 12, "invoices", "url", "sleep", {"ms": 800}),
    (13.1, 20, "thumbnails", "invoke", "ok", {"ms": 200}),
    (15.0, 1, "reports", "url", "loop", {}),
    (15.5, 1, "reports", "invoke", "exit", {}),
    (16.0, 1, "orders", "url", "/crash", {}),
    (16.5, 1, "orders", "url", "/slow", {"ms": 3000}),
    (17.0, 1, "reports", "invoke", "error", {}),
]


@pytest.fixture(scope="module")
def run(hosts, tmp_path_factory):
    host = hosts(
        {
            "reports": python_function(timeout="1s", memory="128MB"),
            "invoices": python_function(timeout="5s", reserved=3),
            "thumbnails": node_function(memory="256MB"),
            "orders": {"command": ORDERS, "directory": ORDERS_FOLDER, "timeout": "1s", "onTimeout": "continue"},
        }, window="5s", account=9).start()
    driver = LoadDriver(host.host, FUNCTIONS, seed=20261123)
    records = driver.run(20, clients=6, bursts=BURSTS)
    log = tmp_path_factory.mktemp("log") / "requests.ndjson"
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    poll(lambda: all(window["closed"] for window in busy(host)), 15, "the windows are closed")
    return host, records, log


def busy(host):
    return [window for window in host.windows().list if window["invocations"] or window["concurrencyMax"]]


def test_the_run_has_all_that_is_to_be_recomputed(run):
    """A quiet run would prove nothing."""
    _, records, _ = run
    finished = [record for record in records if record["status"] != 429]
    outcomes = {outcome(record) for record in finished}
    assert {("success", None), ("error", None), ("crash", None), ("timeout", "platform"), ("timeout", "handler")} <= outcomes
    assert {record["via"] for record in finished} == {"invoke", "url"}
    reasons = {record["reason"] for record in records} - {None}
    assert reasons == {
        "ReservedFunctionConcurrentInvocationLimitExceeded", "ConcurrentInvocationLimitExceeded"}
    assert {record["cold"] for record in finished} == {0, 1}
    assert len(recompute(records, WINDOW)) >= 4
    assert len(records) > 300


@pytest.mark.parametrize("function", [None, *FUNCTIONS])
def test_every_window_is_equal(run, function):
    host, records, log = run
    mine = [record for record in records if function in (None, record["function"])]
    windows = host.windows(function)
    assert not differences(mine, windows.document, WINDOW)
    assert all(window["closed"] for window in windows.list if window["invocations"])
    # The same as a program of its own, which reads the recorded files and nothing else.
    answer = host.folder / "windows.json"
    answer.write_text(json.dumps(windows.document, default=float))
    arguments = [str(HERE / "recompute.py"), str(log), str(answer), "5", *([function] if function else [])]
    result = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


def test_the_totals_are_equal(run):
    host, records, _ = run
    metrics = host.metrics()
    for function in FUNCTIONS:
        mine = [record for record in records if record["function"] == function]
        finished = [record for record in mine if record["status"] != 429]
        outcomes = [outcome(record)[0] for record in finished]
        label = {"function": function}
        assert metrics.total("lambda_invocations_total", **label) == len(finished)
        assert metrics("lambda_errors_total", **label) == len([name for name in outcomes if name != "success"])
        assert metrics("lambda_crashes_total", **label) == outcomes.count("crash")
        for source in ("platform", "handler"):
            expected = len([record for record in finished if outcome(record) == ("timeout", source)])
            assert metrics("lambda_timeouts_total", source=source, **label) == expected
        assert metrics("lambda_cold_starts_total", **label) == sum(record["cold"] for record in finished)
        assert metrics.total("lambda_throttles_total", **label) == len(mine) - len(finished)
        concurrency = sum(record["end"] - record["start"] for record in finished) / NANOSECONDS
        assert metrics("lambda_concurrency_seconds_total", **label) == pytest.approx(concurrency, rel=1e-12)
        duration = sum(record["end"] - record["handover"] for record in finished) / NANOSECONDS
        assert metrics("lambda_invocation_duration_seconds_sum", **label) == pytest.approx(duration, rel=1e-12)
        for name, bound in (("0.1", 0.1), ("1", 1.0), ("1.0", 1.0)):
            shown = metrics.get("lambda_invocation_duration_seconds_bucket", le=name, **label)
            under = [record for record in finished if record["end"] - record["handover"] <= bound * NANOSECONDS]
            assert shown in (None, len(under)), f"{function}: at or under {bound} s"
    poll(lambda: host.metrics()("lambda_account_concurrent_executions") == 0, 30, "nothing runs")


@pytest.mark.parametrize(
    "change",
    [
        lambda window: window.update(invocations=window["invocations"] + 1),
        lambda window: window.update(concurrencyMax=window["concurrencyMax"] - 1),
        lambda window: window.update(concurrencySeconds=window["concurrencySeconds"] + Decimal("0.000000001")),
        lambda window: window["duration"].update(sum=window["duration"]["sum"] - Decimal("0.000000001")),
        lambda window: window["duration"].update(p95=window["duration"]["p95"] * 2),
        lambda window: window["invocationsByTrigger"].pop("direct"),
    ])
def test_a_wrong_number_is_noticed(run, change):
    host, records, _ = run
    document = copy.deepcopy(host.windows().document)
    change(max(document["windows"], key=lambda window: window["invocations"]))
    assert len(differences(records, document, WINDOW)) == 1


def test_the_sweep_itself():
    """Half-open intervals, worked out by hand."""
    def record(start, end, **more):
        return {
            "function": "f", "via": "invoke", "asked": "ok", "status": 200, "failed": False, "start": start,
            "handover": start, "end": end, "cold": 0, **more}

    windows = recompute([record(0, 10), record(10, 20), record(5, 15), record(12, 12), record(8, 31)], 10)
    # The one without length counts as one of a nanosecond.
    assert {start: window["concurrencyMax"] for start, window in windows.items()} == {0: 3, 10: 4, 20: 1, 30: 1}
    assert [windows[start]["concurrencyNanoseconds"] for start in (0, 10, 20, 30)] == [17, 26, 10, 1]
    assert [windows[start]["invocations"] for start in (0, 10, 20, 30)] == [3, 2, 0, 0]
