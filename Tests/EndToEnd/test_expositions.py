"""Every format of a scrape, of agents with none, one and ten thousand functions, read by three independent readers."""
import gc
import gzip
import itertools
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bursts import at_once
from exposition import ACCEPT, CONTENT_TYPES, OF_THE_PROCESS, compare, differences, families, validate
from exposition_model import Problems, escaped, nearly_equal
from exposition_protobuf import fields, varint
from kelvin_host import poll, python_function, request
from many_functions import HOSTILE, copy_store, repeat_function

FORMATS = list(CONTENT_TYPES)
# So long that none closes between two scrapes.
WINDOW = "3600s"
PLAIN = "application/openmetrics-text;version=1.0.0"
OLD_PLAIN = "application/openmetrics-text;version=0.0.1"
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
ESCAPING = ";escaping=allow-utf-8"
# What scrapers send, and the format that they must get.
ACCEPTED = {
    "Prometheus 2.42": (f"{PLAIN},{OLD_PLAIN};q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "openmetrics"),
    "Prometheus 2.42 with native histograms": (
        f"{PROTOBUF},{PLAIN};q=0.8,{OLD_PLAIN};q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "protobuf"),
    "Prometheus 2.49": (f"{PLAIN};q=0.5,{OLD_PLAIN};q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=2", "openmetrics"),
    "Prometheus 2.53": (f"{PLAIN};q=0.5,{OLD_PLAIN};q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "openmetrics"),
    "Prometheus 3.0": (
        f"{PLAIN}{ESCAPING};q=0.5,{OLD_PLAIN}{ESCAPING};q=0.4,text/plain;version=1.0.0{ESCAPING};q=0.3,"
        f"text/plain;version=0.0.4{ESCAPING};q=0.2,*/*;q=0.1", "openmetrics"),
    "Prometheus 3.4": (
        f"{PLAIN}{ESCAPING};q=0.6,{OLD_PLAIN};q=0.5,text/plain;version=1.0.0{ESCAPING};q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "openmetrics"),
    "Prometheus 3.4 with native histograms": (
        f"{PROTOBUF}{ESCAPING};q=0.6,{PLAIN}{ESCAPING};q=0.5,{OLD_PLAIN};q=0.4,text/plain;version=1.0.0{ESCAPING};q=0.3,"
        "text/plain;version=0.0.4;q=0.2,*/*;q=0.1", "protobuf"),
    "VictoriaMetrics 1.79": ("text/plain;version=0.0.4;q=1,*/*;q=0.1", "text"),
    "a browser": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text"),
    "curl": ("*/*", "text"),
    "nothing known": ("application/json", "text"),
    "OpenMetrics refused": (f"{PLAIN};q=0,text/plain;version=0.0.4;q=0.1", "text"),
    "protobuf of something else": (f"{PROTOBUF.replace('MetricFamily', 'Other')},{PLAIN};q=0.1", "openmetrics"),
    "no header": (None, "text"),
}


def scrape(host, kind, compressed=True):
    """The bytes of a scrape, after checking how they came."""
    headers = {"Accept": ACCEPT[kind], "Accept-Encoding": "gzip" if compressed else "identity"}
    answer = request(host.agent, "GET", "/metrics", headers=headers)
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == CONTENT_TYPES[kind]
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.headers["Content-Encoding"] == ("gzip" if compressed else None)
    return gzip.decompress(answer.body) if compressed else answer.body


def read(data, kind):
    """All families by name; there must be nothing wrong with them."""
    problems = Problems()
    result = {family.name: family for family in families(data, kind, problems)}
    assert problems.list == []
    return result


@pytest.fixture(scope="module")
def lived(hosts):
    """A host with one function that was served, failed, timed out and was throttled, and is quiet now."""
    host = hosts({"reports": python_function(reserved=1, timeout="1s")}, window=WINDOW).start()
    for what in ("ok", "ok", "error", "exit", "loop", "ok"):
        host.invoke("reports", {"do": what})
    answers = at_once(4, lambda _: host.invoke("reports", {"do": "sleep", "ms": 700}))
    assert sorted(answer.status for answer in answers) == [200, 429, 429, 429]
    settle(host)
    return host


def settle(host):
    """Waits until nothing moves and all of it is in the store."""
    quiet = {"initializing": 0, "busy": 0}

    def is_quiet():
        metrics = host.metrics()
        return all(metrics.total("lambda_instances", state=state) == count for state, count in quiet.items())

    poll(is_quiet, 30, "nothing runs")
    now = status(host)["time"]
    poll(lambda: status(host)["store"].get("lastCheckpoint", "") > now, 30, "a checkpoint")
    host.wait_for_room(120)


def status(host):
    return request(host.agent, "GET", "/api/v1/status").json()


@pytest.fixture(scope="module")
def empty(hosts):
    return hosts({}, window=WINDOW, command="agent").start()


def copies(hosts, lived, names):
    """An agent alone, on a store in which all these have the numbers of the one function that lived."""
    agent = hosts({}, window=WINDOW, command="agent")
    copy_store(lived.folder / "data" / "kelvin.db", agent.folder / "data" / "kelvin.db")
    repeat_function(agent.folder / "data" / "kelvin.db", "reports", names)
    agent.start()
    agent.wait_for_room(120)
    return agent


@pytest.fixture(scope="module")
def hostile(hosts, lived):
    versions = [("reports", 'vers"ion\\\n'), ('quo"te', "7"), ("reports", "ü")]
    return copies(hosts, lived, HOSTILE + versions)


@pytest.fixture(scope="module")
def many(hosts, lived):
    # With reports, as many as an agent keeps.
    names = HOSTILE + [f"orders-service-{number:05}" for number in range(9_999 - len(HOSTILE))]
    return copies(hosts, lived, names)


@pytest.fixture(params=["empty", "lived", "hostile"])
def agent(request):  # pylint: disable=redefined-outer-name
    return request.getfixturevalue(request.param)


# The matrix

@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_is_wrong_with_any_format(agent, kind):
    first = scrape(agent, kind)
    assert validate(first, kind) == []
    assert validate(scrape(agent, kind), kind, previous=first) == []


def test_formats_say_the_same(agent):
    text, openmetrics, protobuf = (scrape(agent, kind) for kind in FORMATS)
    assert differences((text, "text"), (openmetrics, "openmetrics")) == []
    assert differences((text, "text"), (protobuf, "protobuf")) == []


def test_a_strict_parser_reads_the_same(agent):
    assert strict_differences(scrape(agent, "openmetrics")) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_gzip_changes_nothing(agent, kind):
    plain, packed = scrape(agent, kind, compressed=False), scrape(agent, kind)
    assert differences((plain, kind), (packed, kind)) == []
    if kind != "protobuf":
        assert lines_of_functions(plain) == lines_of_functions(packed)


def test_bounds_are_written_the_same(agent):
    """Prometheus compares the text of le; where it differs, a scrape in another format begins other series."""
    bounds = []
    for kind in FORMATS:
        bounds.append({
            family.name: {dict(labels)["le"] for _, labels in family.samples if "le" in dict(labels)}
            for family in read(scrape(agent, kind), kind).values() if family.kind == "histogram"})
    assert bounds[0] == bounds[1] == bounds[2]
    if agent.metrics().total("lambda_function_info"):
        assert {"0.005", "1.0", "900.0", "+Inf"} <= bounds[0]["lambda_invocation_duration_seconds"]
        assert {"3.3554432e+07", "1.7179869184e+10"} <= bounds[0]["lambda_memory_used_bytes"]


def strict_differences(data):
    """What prometheus_client's strict parser reads otherwise than ours does."""
    problems = Problems()
    for _ in beside_strict(families(data, "openmetrics", Problems()), data, problems):
        pass
    return problems.list


def beside_strict(ours, data, problems):
    """Hands on what we read, after comparing it with what the strict parser does."""
    theirs = text_string_to_metric_families(data.decode())
    for mine, other in itertools.zip_longest(ours, theirs):
        if mine is None or other is None:
            problems.add(f"{mine and mine.name} stands where {other and other.name} does")
            return
        read_by_them = {
            (sample.name, tuple(sorted((name, escaped(value)) for name, value in sample.labels.items()))): sample.value
            for sample in other.samples if not sample.name.endswith("_created")}
        if mine.samples.keys() != read_by_them.keys():
            problems.add(f"{mine.name}: {list(mine.samples.keys() ^ read_by_them.keys())[:3]}")
        for key, value in mine.samples.items():
            if key in read_by_them and not nearly_equal(value, read_by_them[key]):
                problems.add(f"{key} is {value} and {read_by_them[key]}")
        if other.unit != mine.unit or other.documentation != mine.help:
            problems.add(f"{mine.name} has {mine.unit!r}, {mine.help!r} and {other.unit!r}, {other.documentation!r}")
        yield mine


def lines_of_functions(text):
    return [line for line in text.split(b"\n") if not OF_THE_PROCESS.match(line.decode())]


# What went in

@pytest.mark.parametrize("kind", FORMATS)
def test_the_numbers_are_those_that_happened(lived, kind):
    check_numbers(read(scrape(lived, kind), kind), (("function", "reports"),))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_hostile_name_has_its_numbers(hostile, kind):
    read_families = read(scrape(hostile, kind), kind)
    for name in HOSTILE:
        check_numbers(read_families, (("function", escaped(name)),))
    check_numbers(read_families, (("function", "reports"), ("version", escaped('vers"ion\\\n'))))
    check_numbers(read_families, (("function", escaped('quo"te')), ("version", "7")))
    names = {dict(labels)["function"] for _, labels in read_families["lambda_function_info"].samples}
    assert names == {escaped(name) for name in [*HOSTILE, "reports"]}


def check_numbers(read_families, labels):
    def value(name, **more):
        family = read_families[name.removesuffix("_count") if name.endswith("_seconds_count") else name]
        return family.samples[(name, tuple(sorted((*labels, *more.items()))))]

    assert value("lambda_invocations_total", trigger="direct") == 7
    assert value("lambda_errors_total") == 3
    assert value("lambda_crashes_total") == 1
    assert value("lambda_throttles_total", reason="ReservedFunctionConcurrentInvocationLimitExceeded") == 3
    assert value("lambda_timeouts_total", source="handler") + value("lambda_timeouts_total", source="platform") == 1
    assert value("lambda_invocation_duration_seconds_count") == 7
    total = sum(
        dict(sample)["trigger"] == "direct" for name, sample in read_families["lambda_invocations_total"].samples
        if without_own(sample, "trigger") == tuple(sorted(labels)))
    assert total == 1


def without_own(labels, name):
    return tuple(pair for pair in labels if pair[0] != name)


def test_kelvin_yaml_takes_no_hostile_name(kelvin, tmp_path):
    for number, name in enumerate(HOSTILE):
        if re.fullmatch("[A-Za-z0-9_-]{1,140}", name):
            continue  # It is only strange.
        configuration = tmp_path / f"{number}.yaml"
        configuration.write_text(json.dumps({"functions": {name: python_function()}}))
        result = subprocess.run(
            [str(kelvin), "host", "--config", str(configuration)], cwd=tmp_path, capture_output=True, text=True,
            timeout=60, check=False)
        assert result.returncode == 64, (name, result)
        assert "is not a valid name for a function" in result.stderr or "This is not YAML" in result.stderr, (name, result)


# What each format has beyond the others

def test_native_histograms_and_created_times(lived):
    read_families = read(scrape(lived, "protobuf"), "protobuf")
    histograms = [family for family in read_families.values() if family.kind == "histogram"]
    assert len(histograms) >= 5
    for family in histograms:
        assert len(family.native) == sum(name.endswith("_count") for name, _ in family.samples), family.name
    for family in read_families.values():
        if family.kind in ("histogram", "counter") and family.name.startswith("lambda_"):
            assert family.created, f"{family.name} does not say since when it counts"
    durations = read_families["lambda_invocation_duration_seconds"].native[(("function", "reports"),)]
    assert (durations.schema, sum(durations.positive.values()) + durations.zero_count) == (4, 7)


def test_exemplars_name_requests(lived):
    for kind in ("openmetrics", "protobuf"):
        read_families = read(scrape(lived, kind), kind)
        for name in ("lambda_invocation_duration_seconds", "lambda_cold_starts_total"):
            exemplars = read_families[name].exemplars
            assert exemplars, f"{name} has no exemplar in {kind}"
            for exemplar in exemplars.values():
                ((label, text),) = exemplar.labels
                assert (label, len(text)) == ("request_id", 36)


def test_units_are_in_openmetrics(lived):
    read_families = read(scrape(lived, "openmetrics"), "openmetrics")
    assert read_families["lambda_invocation_duration_seconds"].unit == "seconds"
    assert read_families["lambda_memory_used_bytes"].unit == "bytes"
    assert read_families["kelvin_build_info"].kind == "info"


# Who asks

@pytest.mark.parametrize("who", ACCEPTED)
def test_scrapers_get_what_they_ask_for(lived, who):
    accept, kind = ACCEPTED[who]
    answer = request(lived.agent, "GET", "/metrics", headers={"Accept": accept} if accept else {})
    assert answer.status == 200
    own = answer.headers["Content-Type"]
    # A scheme for names is said again; ours need none.
    assert own.removesuffix("; escaping=allow-utf-8") == CONTENT_TYPES[kind]
    assert validate(answer.body, kind) == []


def test_many_scrapers_at_once_see_the_same(hostile):
    first = scrape(hostile, "protobuf")
    kinds = FORMATS * 4
    answers = at_once(len(kinds), lambda index: scrape(hostile, kinds[index], compressed=index % 2 == 0))
    for kind, answer in zip(kinds, answers):
        assert isinstance(answer, bytes), answer
        assert validate(answer, kind) == []
        assert differences((first, "protobuf"), (answer, kind)) == []


def test_the_command_line_asks_an_agent(lived):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, str(Path(__file__).with_name("exposition.py")), *arguments], capture_output=True, text=True,
            timeout=60, check=False)

    where = f"http://{lived.agent}/metrics"
    for kind in FORMATS:
        scrape(lived, kind)
        result = run("--format", kind, where, "--same-as", where)
        assert (result.returncode, result.stderr) == (0, ""), result
        assert result.stdout.startswith(f"{kind}, ")
    assert run(where.replace("/metrics", "/api/v1/status")).returncode == 1


# Ten thousand functions

# What else may be wrong with a family is seen with fewer functions, above; with more than a million
# samples, Python needs a minute and a half to read all of them in all formats.
SAMPLED = {"lambda_invocations_total", "lambda_throttles_total", "lambda_concurrent_executions_max"}


@pytest.fixture
def no_collection():
    """Millions of small objects that live for long, and no cycles: looking for those would take most of the time."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_ten_thousand_functions(many):
    scrapes = {kind: scrape(many, kind) for kind in FORMATS}
    counts = samples_of(scrapes["text"])
    assert counts == samples_of(scrapes["openmetrics"])
    assert sum(counts.values()) > 1_000_000
    assert all(counts[f"lambda_{name}".encode()] == 10_000 * times for name, times in OF_EACH.items()), counts
    problems = Problems()
    text, openmetrics, protobuf = (
        families(extract(data, kind), kind, problems) for kind, data in scrapes.items())
    known, names = set(), set()
    compare([with_numbers(text, known, names), openmetrics, protobuf], problems)
    assert problems.list == []
    # OpenMetrics names a family of counters without _total, which the readers put right.
    assert names == SAMPLED
    assert len(known) == 10_000 and {escaped(name) for name in HOSTILE} <= known


# How many samples of some metrics each function has.
OF_EACH = {
    "invocations_total": 5, "concurrent_executions_max": 1, "invocation_duration_seconds_count": 1,
    "invocation_duration_seconds_bucket": 16,
}


def samples_of(text):
    """How many samples a text has of each name, but for those of the process."""
    names = (re.match(rb"[a-zA-Z0-9_:]+", line) for line in text.split(b"\n") if line and not line.startswith(b"#"))
    return Counter(
        name[0] for name in names if not OF_THE_PROCESS.fullmatch(name[0].decode()) and not name[0].endswith(b"_created"))


def extract(data, kind):
    """What a scrape has of the sampled families."""
    if kind == "protobuf":
        return b"".join(message for name, message in messages(data) if name in SAMPLED)
    # The line that a family begins with.
    head = data[:data.index(b" ", 2) + 1]
    heads = [match.start() for match in re.finditer(b"^" + head, data, re.MULTILINE)]
    parts = [data[start:end] for start, end in zip(heads, [*heads[1:], len(data)])]
    wanted = {name.encode() for name in SAMPLED} | {name.removesuffix("_total").encode() for name in SAMPLED}
    end = b"# EOF\n" if kind == "openmetrics" else b""
    return b"".join(part.removesuffix(b"# EOF\n") for part in parts if part.split(b" ", 3)[2] in wanted) + end


def messages(data):
    """The messages of a scrape, each with its length in front, and the names of their families."""
    position = 0
    while position < len(data):
        length, start = varint(data, position, len(data))
        _, _, (first, last) = next(fields(data, start, start + length))
        yield data[first:last].decode(), data[position:start + length]
        position = start + length


def with_numbers(reading, known, names):
    """Hands on what was read, after checking it against what happened; the sets get the names of functions and families."""
    for family in reading:
        names.add(family.name)
        if family.name == "lambda_invocations_total":
            known |= {dict(labels)["function"] for _, labels in family.samples}
            assert sum(family.samples.values()) == 7 * 10_000
        yield family
