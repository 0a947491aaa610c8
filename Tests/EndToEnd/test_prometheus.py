"""A real Prometheus scrapes the agent for three windows."""
import subprocess
import time

import pytest

from bursts import at_once
from floats import at_most, never_go_down
from kelvin_host import NANOSECONDS, poll, python_function
from load_driver import record_of
from prometheus_server import Prometheus, promtool
from recompute import recompute

pytestmark = pytest.mark.waits

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
# One burst for each window: how many at once, of which 4 are let in.
BURSTS = [2, 9, 6]


@pytest.fixture(scope="module")
def scraped(hosts, tmp_path_factory):
    host = hosts({"reports": python_function(reserved=4, timeout="20s")}, window="10s").start()
    # Warm, so that a burst is over well before its window is.
    at_once(4, lambda _: host.invoke("reports", {"do": "sleep", "ms": 400}))
    prometheus = Prometheus(tmp_path_factory.mktemp("prometheus"), host.agent).start()
    try:
        poll(lambda: prometheus.value('lambda_function_info{function="reports"}') == 1, 30, "the first scrape")
        answers = []
        window = 10 * NANOSECONDS
        for count in BURSTS:
            # Neither the burst before nor what warmed the instances up shares a window with this one.
            poll_window(host, time.time_ns() // window * window + window)
            host.wait_for_room(4)
            burst = at_once(count, lambda _: host.invoke("reports", {"do": "sleep", "ms": 500}))
            answers += [record_of("reports", "invoke", "sleep", answer) for answer in burst]
            last = max(record["start"] for record in answers)
        host.wait_for_closed(last)
        end = host.metrics()("lambda_window_end_timestamp_seconds")
        poll(
            lambda: prometheus.value("lambda_window_end_timestamp_seconds") >= end, 15,
            "the gauges of the last window are scraped")
        yield host, prometheus, answers
    finally:
        prometheus.stop()


def poll_window(host, start):
    """Waits until the window that begins at `start` has begun."""
    poll(lambda: time.time_ns() >= start, host.window_seconds + 1, "the next window")


def test_promtool_finds_nothing(scraped):
    host, _, _ = scraped
    result = subprocess.run(
        [promtool(), "check", "metrics"], input=host.metrics().text, capture_output=True, text=True, timeout=60,
        check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_promtool_would_find_something():
    result = subprocess.run(
        [promtool(), "check", "metrics"], input="# TYPE wrong counter\nwrong 1\n", capture_output=True, text=True,
        timeout=60, check=False)
    assert result.returncode == 3, "the check itself works"


def test_no_scrape_failed(scraped):
    _, prometheus, _ = scraped
    assert prometheus.value('min_over_time(up{job="kelvin"}[10m])') == 1


def test_the_maximum_over_time_is_the_true_peak(scraped):
    _, prometheus, answers = scraped
    peaks = [window["concurrencyMax"] for window in recompute(answers, 10 * NANOSECONDS).values()]
    assert max(peaks) == 4
    label = '{function="reports"}'
    assert prometheus.value(f"max_over_time(lambda_concurrent_executions_max{label}[10m])") == 4
    assert prometheus.value("max_over_time(lambda_account_concurrent_executions_max[10m])") == 4


def test_every_window_was_seen(scraped):
    host, prometheus, answers = scraped
    mine = {
        start // NANOSECONDS + 10: window["concurrencyMax"]
        for start, window in recompute(answers, 10 * NANOSECONDS).items()}
    assert len(mine) == len(BURSTS)
    ((_, ends),) = prometheus.query("lambda_window_end_timestamp_seconds[10m]")
    ((_, peaks),) = prometheus.query('lambda_concurrent_executions_max{function="reports"}[10m]')
    assert [time for time, _ in ends] == [time for time, _ in peaks]
    seen = {}
    for (_, end), (_, peak) in zip(ends, peaks):
        seen.setdefault(int(float(end)), set()).add(float(peak))
    for end, peak in mine.items():
        assert seen.get(end) == {peak}, f"the window that ended at {end}: {seen}"
    assert host.windows("reports").largest("concurrencyMax") == 4


def test_the_increase_of_throttles_is_right(scraped):
    host, prometheus, answers = scraped
    throttled = len([answer for answer in answers if answer["status"] == 429])
    assert throttled == (9 - 4) + (6 - 4)
    selector = f'lambda_throttles_total{{function="reports",reason="{RESERVED}"}}'
    ((_, samples),) = prometheus.query(f"{selector}[10m]")
    values = [float(value) for _, value in samples]
    # The series is there from the beginning, at 0, and never goes down.
    assert values[0] == 0
    assert never_go_down(values)
    assert values[-1] - values[0] == throttled
    # Prometheus extrapolates by up to half a scrape interval at both ends, but never below zero.
    seconds = samples[-1][0] - samples[0][0]
    increase = prometheus.value(f"increase({selector}[10m])")
    assert at_most(throttled, increase) and increase <= throttled * (1 + 1.2 / seconds)
    assert host.metrics()("lambda_throttles_total", function="reports", reason=RESERVED) == throttled
