"""Somebody sets the system's clock by an hour, forward and back, while the host is under load; the books must balance."""
import threading

import pytest

from kelvin_host import NANOSECONDS, poll, python_function, request
from load_driver import LoadDriver
from recompute import differences, outcome
from system_clock import SystemClock

pytestmark = pytest.mark.waits

WINDOW = 5
HOUR = 3600
FUNCTIONS = {
    "reports": [("invoke", "ok", {}, 10), ("invoke", "sleep", {"ms": 150}, 5), ("url", "error", {}, 2)],
    "mails": [("url", "ok", {}, 5), ("url", "sleep", {"ms": 200}, 5), ("invoke", "loop", {}, 0.3)],
}


@pytest.fixture(scope="module")
def run(hosts, tmp_path_factory):
    clock = SystemClock(tmp_path_factory.mktemp("clock"))
    host = hosts(
        {"reports": python_function(reserved=3), "mails": python_function(timeout="1s")}, window=f"{WINDOW}s",
        environment=clock.environment).start()
    driver = LoadDriver(host.host, FUNCTIONS, seed=20261129)
    load = threading.Thread(target=driver.run, args=(26, 6, []))
    load.start()
    seen = []
    for step in (HOUR, -HOUR):
        clock.set(step)
        # The host looks every ten seconds.
        seen.append(poll(lambda step=step: offset_near(host, step), 15, f"the host sees a clock that is {step} s ahead"))
    load.join(120)
    assert not load.is_alive() and not driver.problems, driver.problems
    poll(lambda: all(window["closed"] for window in host.windows().list if window["concurrencyMax"]), 15, "closed windows")
    return host, driver.records, seen


def offset_near(host, wanted):
    metrics = host.metrics()
    return metrics if abs(metrics("kelvin_clock_offset_seconds") - wanted) < 5 else None


def test_the_load_was_there_at_all_times(run):
    _, records, _ = run
    starts = sorted(record["start"] for record in records)
    assert len(starts) > 200 and starts[-1] - starts[0] > 20 * NANOSECONDS
    # Taken from the host's own clock, which did not step.
    assert max(second - first for first, second in zip(starts, starts[1:])) < 5 * NANOSECONDS


@pytest.mark.parametrize("function", [None, *FUNCTIONS])
def test_every_window_is_equal(run, function):
    host, records, _ = run
    mine = [record for record in records if function in (None, record["function"])]
    assert not differences(mine, host.windows(function).document, WINDOW * NANOSECONDS)


def test_the_totals_are_equal_and_nothing_was_rejected(run):
    host, records, _ = run
    metrics = host.metrics()
    for function in FUNCTIONS:
        mine = [record for record in records if record["function"] == function]
        finished = [record for record in mine if record["status"] != 429]
        failed = [record for record in finished if outcome(record)[0] != "success"]
        assert metrics.total("lambda_invocations_total", function=function) == len(finished) > 0
        assert metrics("lambda_errors_total", function=function) == len(failed) > 0
        assert metrics.total("lambda_throttles_total", function=function) == len(mine) - len(finished)
        seconds = sum(record["end"] - record["handover"] for record in finished) / NANOSECONDS
        assert metrics("lambda_invocation_duration_seconds_sum", function=function) == pytest.approx(seconds, rel=1e-12)
    assert metrics.total("kelvin_rejected_events_total") == 0


def test_the_steps_are_told(run):
    host, _, seen = run
    assert [metrics("kelvin_clock_steps_total") for metrics in seen] == [1, 2]
    assert host.said().count("clock") >= 2, host.said()
    assert request(host.agent, "GET", "/-/ready").status == 200
