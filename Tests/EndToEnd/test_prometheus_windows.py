"""Ten windows of a live host, as Prometheus with and without native histograms and VictoriaMetrics saw them.

Every number that they answer has to equal that of /api/v1/windows, and a kill of the host in between may change nothing. A burst comes
when all servers have seen the window before it closed, and is over before its own does. So whatever a counter gained between the
scrapes that first show two windows as closed happened in the second.
"""
import json
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from bursts import at_once
from floats import never_go_down, same
from kelvin_host import NANOSECONDS, poll, python_function, request, rfc3339
from load_driver import record_of
from metric_servers import ClassicPrometheus, NativePrometheus, VictoriaMetrics
from recompute import quantile

pytestmark = pytest.mark.waits

SECONDS = 4
WINDOW = SECONDS * NANOSECONDS
FUNCTIONS = {"reports": 3, "mails": 6}
RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
# One entry a window: for each function, how many requests at once, and what they ask.
STORY = [
    {"reports": (2, "sleep"), "mails": (1, "ok")},
    {"reports": (5, "sleep"), "mails": (4, "sleep")},
    {"reports": (1, "error")},
    {"reports": (3, "ok"), "mails": (9, "sleep")},
    {"mails": (2, "error")},
    {"reports": (7, "sleep"), "mails": (2, "ok")},
    {"reports": (2, "ok"), "mails": (6, "sleep")},
    {"reports": (4, "sleep")},
    {"reports": (1, "ok"), "mails": (8, "ok")},
    {"reports": (6, "sleep"), "mails": (3, "sleep")},
]
KILLED_AFTER = 5
LAST_END = "lambda_window_end_timestamp_seconds"
# A native bucket of schema 4, from bound to bound.
NATIVE_BUCKET = 2 ** (1 / 16)

# Maxima of a window: the metric, and what the API calls it.
FUNCTION_MAXIMA = {
    "lambda_concurrent_executions_max": lambda window: window["concurrencyMax"],
    "lambda_instances_max": lambda window: window["instancesMax"],
    "lambda_invocation_duration_max_seconds": lambda window: window["duration"].get("max", 0),
    "lambda_memory_used_max_bytes": lambda window: window["memoryUsedBytes"].get("max", 0),
}
ACCOUNT_MAXIMA = {
    "lambda_account_concurrent_executions_max": lambda window: window["concurrencyMax"],
    "lambda_account_unreserved_concurrent_executions_max": lambda window: window["unreservedConcurrencyMax"],
    "lambda_account_claimed_concurrency_max": lambda window: window["claimedConcurrencyMax"],
}
# Sums of a window.
COUNTERS = {
    'lambda_invocations_total{%s,trigger="direct"}': lambda window: window["invocationsByTrigger"].get("direct", 0),
    'lambda_invocations_total{%s,trigger="http"}': lambda window: window["invocationsByTrigger"].get("http", 0),
    "lambda_errors_total{%s}": lambda window: window["errors"],
    "lambda_crashes_total{%s}": lambda window: window["crashes"],
    f'lambda_throttles_total{{%s,reason="{RESERVED}"}}': lambda window: window["throttlesByReason"].get(RESERVED, 0),
    "lambda_cold_starts_total{%s}": lambda window: window["coldStarts"],
    'lambda_initializations_total{%s,initialization_type="on-demand"}': (
        lambda window: window["initializationsByType"].get("on-demand", 0)),
    "lambda_billed_seconds_total{%s}": lambda window: window["billedSeconds"],
}
HISTOGRAMS = {
    "lambda_invocation_duration_seconds": "duration", "lambda_initialization_duration_seconds": "initialization",
    "lambda_memory_used_bytes": "memoryUsedBytes",
}
BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900]


class Story:
    """The host, the servers that scraped it, and what its callers know."""

    def __init__(self, host, servers):
        self.host, self.servers = host, servers
        self.records = []
        # The ends of the windows of the bursts.
        self.ends = []

    def tell(self):
        for number, burst in enumerate(STORY):
            self.ends.append(poll(lambda burst=burst: self.send(burst), 120, "a burst within a window"))
            if number == KILLED_AFTER:
                self.kill()

    def send(self, burst):
        """Sends a burst and waits until it was seen; the end of its window, or `None` if it was not over before that."""
        poll(self.is_time, 60, "a moment at which all servers know what was before this window")
        calls = [(function, what) for function, (count, what) in burst.items() for _ in range(count)]

        def call(index):
            function, what = calls[index]
            return record_of(
                function, "invoke", what, self.host.invoke(function, {"do": what, "ms": 250 if what == "sleep" else 0}))

        answers = at_once(len(calls), call)
        self.records += answers
        self.wait_until_seen(end_of(answers))
        return end_of(answers) if len({record["start"] // WINDOW for record in answers} | {
            record.get("end", record["start"]) // WINDOW for record in answers}) == 1 else None

    def is_time(self):
        """Whether the window before this one was scraped, and there is room for a burst."""
        now = time.time_ns()
        start = now // WINDOW * SECONDS
        # It closes a second after its end.
        return 1 < now / NANOSECONDS - start < SECONDS - 1.5 and all(
            (server.value(LAST_END) or 0) == start for server in self.servers)

    def wait_until_seen(self, end):
        """Until every server has a scrape that shows the window which ends then, or a later one, as closed."""
        for server in self.servers:
            poll(lambda server=server: (server.value(LAST_END) or 0) >= end, 60, f"{server.programs[0]} has seen {end}")

    def kill(self):
        """When all is in the store; so nothing may be lost."""
        now = time.time_ns()
        poll(lambda: self.checkpoint() > now, 30, "a checkpoint after the last burst")
        self.host.stop(signal.SIGKILL)
        self.host.start()
        warm_up(self.host, self.records)
        self.wait_until_seen(end_of(self.records))

    def checkpoint(self):
        store = request(self.host.agent, "GET", "/api/v1/status").json()["store"]
        return rfc3339(store["lastCheckpoint"]) if "lastCheckpoint" in store else 0

    def windows(self, function=None):
        """All windows from the first to the last burst, by their ends in seconds."""
        found = {rfc3339(window["end"]) // NANOSECONDS: window for window in self.host.windows(function).list}
        return {end: found[end] for end in found if self.ends[0] <= end <= self.ends[-1]}


def end_of(records):
    """The end of the window in which the last of them ended, in seconds."""
    return (max(record.get("end", record["start"]) for record in records) // WINDOW + 1) * SECONDS


def warm_up(host, records):
    """Starts as many instances as the story needs at once, so that no start reaches over the end of a window of it."""
    for function, count in FUNCTIONS.items():
        records += at_once(
            count, lambda _, function=function: record_of(
                function, "invoke", "sleep", host.invoke(function, {"do": "sleep", "ms": 400})))


def fixed_address(host):
    """From now on the agent listens where it does now, so that servers find it again."""
    path = host.folder / "kelvin.yaml"
    configuration = json.loads(path.read_text())
    configuration["agent"]["listen"] = host.agent
    path.write_text(json.dumps(configuration))


@pytest.fixture(scope="module")
def story(hosts, tmp_path_factory):
    host = hosts(
        {name: python_function(reserved=limit, timeout="20s") for name, limit in FUNCTIONS.items()},
        window=f"{SECONDS}s").start()
    fixed_address(host)
    records = []
    warm_up(host, records)
    classes = (ClassicPrometheus, NativePrometheus, VictoriaMetrics)
    servers = [
        kind(tmp_path_factory.mktemp("server") / kind.__name__, host.agent) for kind in classes]
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.start(), servers))
        told = Story(host, servers)
        told.records = records
        told.wait_until_seen(end_of(records))
        told.tell()
        for server in servers:
            # What they scrape from now on is none of the story.
            server.time = time.time()
        yield told
    finally:
        for server in servers:
            server.stop()


@pytest.fixture(params=[0, 1, 2], ids=["classic", "native", "victoria"])
def server(request, story):  # pylint: disable=redefined-outer-name
    return story.servers[request.param]


@pytest.fixture(params=[0, 2], ids=["classic", "victoria"])
def classic(request, story):  # pylint: disable=redefined-outer-name
    return story.servers[request.param]


@pytest.fixture
def native(story):  # pylint: disable=redefined-outer-name
    return story.servers[1]


def by_window(server, selector):  # pylint: disable=redefined-outer-name
    """What a series showed while each window was the last closed one."""
    ends = dict(server.samples(LAST_END))
    shown = {}
    for moment, value in server.samples(selector):
        # Scrapes go on: one that came after the first question is in the second answer alone.
        if moment in ends or moment <= max(ends):
            shown.setdefault(int(ends[moment]), []).append(value)
    return shown


# Maxima

def test_there_were_ten_windows(story):
    assert len(set(story.ends)) == 10
    windows = story.windows()
    for end in story.ends:
        assert windows[end]["invocations"] + windows[end]["throttles"] > 0


@pytest.mark.parametrize("metric", FUNCTION_MAXIMA)
def test_maxima_of_functions(story, server, metric):
    for function in FUNCTIONS:
        shown = by_window(server, f'{metric}{{function="{function}"}}')
        check_maxima(shown, story.windows(function), FUNCTION_MAXIMA[metric], story.ends)


@pytest.mark.parametrize("metric", ACCOUNT_MAXIMA)
def test_maxima_of_the_account(story, server, metric):
    check_maxima(by_window(server, metric), story.windows(), ACCOUNT_MAXIMA[metric], story.ends)


def check_maxima(shown, windows, read, ends):
    for end in ends:
        assert end in shown, f"no scrape saw the window that ended at {end}, but {sorted(shown)}"
        wanted = float(read(windows[end])) if end in windows else 0
        assert all(same(value, wanted) for value in shown[end]), f"window that ended at {end}: {shown[end]}, not {wanted}"


def test_the_greatest_of_all_windows(story, server):
    for function, limit in FUNCTIONS.items():
        wanted = max(window["concurrencyMax"] for window in story.host.windows(function).list)
        assert wanted == limit
        assert server.value(f'max_over_time(lambda_concurrent_executions_max{{function="{function}"}}[30m])') == wanted
    # Maxima of functions do not add up: the account's is its own.
    wanted = max(window["concurrencyMax"] for window in story.host.windows().list)
    assert server.value("max_over_time(lambda_account_concurrent_executions_max[30m])") == wanted


# Sums

def gains(server, selector, ends):  # pylint: disable=redefined-outer-name
    """What a counter gained in each window, by its end: the difference of the first samples that follow two ends."""
    first = {}
    for end, values in by_window(server, selector).items():
        first[end] = Decimal(repr(values[0]))
    known = sorted(first)
    result = {}
    for end in ends:
        before = max((other for other in known if other < end), default=None)
        assert before is not None and end in first, f"{selector}: {end} is not among {known}"
        result[end] = first[end] - first[before]
    return result


@pytest.mark.parametrize("selector", COUNTERS)
def test_counters(story, server, selector):
    for function in FUNCTIONS:
        windows = story.windows(function)
        shown = gains(server, selector % f'function="{function}"', story.ends)
        for end in story.ends:
            wanted = Decimal(COUNTERS[selector](windows[end])) if end in windows else 0
            # A double of some seconds is right to less than a nanosecond.
            assert abs(shown[end] - wanted) < Decimal("1e-9"), (function, end)


def test_the_integral_of_concurrency(story, server):
    """It counts what still runs up to the scrape, and never goes down when the end turns out to have come a moment earlier.

    So it is never below the windows so far, and above them by no more than a host takes to report an end.
    """
    for function in FUNCTIONS:
        shown = by_window(server, f'lambda_concurrency_seconds_total{{function="{function}"}}')
        windows = story.host.windows(function).list
        for end in story.ends:
            mine = sum(
                window["concurrencySeconds"] for window in windows if rfc3339(window["end"]) <= end * NANOSECONDS)
            assert -1e-9 <= shown[end][0] - float(mine) < 0.25, (function, end)


def test_counters_never_went_down(story, server):
    """Not when the host was killed, either."""
    series = server.query('{__name__=~"lambda_.*_(total|bucket|count|sum)"}[30m]')
    assert len(series) >= 50
    for item in series:
        if "values" not in item:
            continue  # A native histogram, of which the next test tells.
        values = [float(value) for _, value in item["values"] if value != "NaN"]
        assert never_go_down(values), item["metric"]
    assert story.host.starts == 2


def test_everything_that_was_answered_was_counted(story, server):
    for function in FUNCTIONS:
        mine = [record for record in story.records if record["function"] == function]
        served = len([record for record in mine if record["status"] == 200])
        assert server.value(f'sum(lambda_invocations_total{{function="{function}"}})') == served
        assert server.value(f'sum(lambda_throttles_total{{function="{function}"}})') == len(mine) - served


# Histograms

@pytest.mark.parametrize("metric", HISTOGRAMS)
def test_classic_histograms(story, classic, metric):
    for function in FUNCTIONS:
        windows = story.windows(function)
        label = f'{{function="{function}"}}'
        counts = gains(classic, f"{metric}_count{label}", story.ends)
        sums = gains(classic, f"{metric}_sum{label}", story.ends)
        for end in story.ends:
            window = windows.get(end, {}).get(HISTOGRAMS[metric], {})
            assert counts[end] == window.get("count", 0)
            assert abs(sums[end] - Decimal(window.get("sum", 0))) < Decimal("1e-9")


def durations_by_window(story, function):
    result = {}
    for record in story.records:
        if record["function"] == function and record["status"] == 200:
            end = (record["start"] // WINDOW + 1) * SECONDS
            result.setdefault(end, []).append(record["end"] - record["handover"])
    return result


def test_classic_buckets(story, classic):
    """Each against the answers of the host, which say how long they took."""
    for function in FUNCTIONS:
        mine = durations_by_window(story, function)
        for bound in BOUNDS:
            text = f"{float(bound)}"
            shown = gains(
                classic, f'lambda_invocation_duration_seconds_bucket{{function="{function}",le="{text}"}}', story.ends)
            for end in story.ends:
                wanted = len([value for value in mine.get(end, []) if value <= bound * NANOSECONDS])
                assert shown[end] == wanted, (function, text, end)


def test_native_histograms(story, native):
    """Counts and sums as in the API; each bucket against the answers of the host."""
    for function in FUNCTIONS:
        selector = f'lambda_invocation_duration_seconds{{function="{function}"}}'
        (item,) = native.query(selector)
        shown = item["histogram"][1]
        mine = [value for values in durations_by_window(story, function).values() for value in values]
        windows = story.host.windows(function).list
        assert int(shown["count"]) == len(mine) == sum(window["duration"]["count"] for window in windows)
        total = sum(Decimal(window["duration"].get("sum", 0)) for window in windows)
        assert abs(Decimal(shown["sum"]) - total) < Decimal("1e-9")
        seen = 0
        for rule, lower, upper, count in shown["buckets"]:
            assert rule == 0, "above 0, and with its upper bound"
            inside = [value for value in mine if float(lower) * NANOSECONDS < value <= float(upper) * NANOSECONDS]
            assert len(inside) == int(count), (function, lower, upper)
            seen += len(inside)
        assert seen == len(mine)
        assert native.value(f"histogram_count({selector})") == len(mine)
        assert abs(native.value(f"histogram_sum({selector})") - float(total)) < 1e-6


def test_native_histograms_never_went_down(native):
    for function in FUNCTIONS:
        (item,) = native.query(f'lambda_invocation_duration_seconds{{function="{function}"}}[30m]')
        assert "values" not in item, "all scrapes had native histograms"
        counts = [int(histogram["count"]) for _, histogram in item["histograms"]]
        assert counts == sorted(counts)
        assert len(counts) > 10


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_native_quantiles(story, native, share):
    for function in FUNCTIONS:
        mine = [value for values in durations_by_window(story, function).values() for value in values]
        wanted = quantile(mine, share) / NANOSECONDS
        shown = native.value(
            f'histogram_quantile({share}, lambda_invocation_duration_seconds{{function="{function}"}})')
        # Both are in the same bucket.
        assert wanted / NATIVE_BUCKET <= shown <= wanted * NATIVE_BUCKET, (function, shown, wanted)


def test_exemplars_are_requests_that_were_answered(story, native):
    known = Counter()
    for record in story.records:
        if record["status"] == 200:
            known[record["end"] - record["handover"]] += 1
    found = [
        (labels, exemplar) for labels, exemplars in native.exemplars(
            "lambda_invocation_duration_seconds", time.time() - 1800, time.time() + 1) for exemplar in exemplars]
    assert found
    for labels, exemplar in found:
        assert labels["function"] in FUNCTIONS
        assert len(exemplar["labels"]["request_id"]) == 36
        assert known[round(Decimal(exemplar["value"]) * NANOSECONDS)], exemplar
