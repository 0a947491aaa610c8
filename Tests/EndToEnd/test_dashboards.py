"""The dashboards for Grafana: the lint finds nothing, and would find something; and every expression has an answer from a
real Prometheus that scraped a real host while everything happened that it asks for."""
import copy
import json
import math
import re
import subprocess
import sys
import time

import pytest
import yaml

import dashboards_lint
from dashboard_story import WINDOW, functions, tell
from floats import at_most
from kelvin_host import REPOSITORY, poll
from promql import escape, interpolate, selectors, variables
from prometheus_server import Prometheus, promtool

FOLDER = REPOSITORY / "Dashboards" / "Grafana"
NAMES = ("kelvin-overview", "kelvin-function")
SELECTED = 'job=~"$job", instance=~"$instance", function=~"$function"'


def dashboard(name):
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


# The files

@pytest.mark.parametrize("name", NAMES)
def test_the_lint_finds_nothing(name):
    assert dashboards_lint.lint(dashboard(name)) == []


def test_the_files_are_what_the_script_writes():
    said = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "dashboards"), "--check"], capture_output=True, text=True, check=False,
        timeout=60)
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_the_dashboards_are_two_and_lead_to_each_other():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(NAMES) == dashboards_lint.UIDS
    made = {name: dashboard(name) for name in NAMES}
    assert {name: made[name]["uid"] for name in NAMES} == {name: name for name in NAMES}
    assert len({one["title"] for one in made.values()}) == 2
    for name, other in (NAMES, NAMES[::-1]):
        assert any(link["url"].startswith(f"/d/{other}?") for link in made[name]["links"])


def graph(board):
    return next(panel for panel in dashboards_lint.panels(board) if panel["type"] == "timeseries")


def expression(text):
    def change(board):
        graph(board)["targets"][0]["expr"] = text
    return change


def put(**fields):
    return lambda board: board.update(fields)


def put_in_graph(**fields):
    return lambda board: graph(board).update(fields)


def put_in_variable(which, **fields):
    return lambda board: dashboards_lint.variable(board, which).update(fields)


def without_variable(name):
    def change(board):
        board["templating"]["list"] = [entry for entry in board["templating"]["list"] if entry["name"] != name]
    return change


def same_place(board):
    first, second = list(dashboards_lint.panels(board))[:2]
    second["gridPos"] = dict(first["gridPos"])


def same_letter(board):
    for target in graph(board)["targets"]:
        target["refId"] = "A"


def one_form(board):
    heatmap = next(panel for panel in dashboards_lint.panels(board) if panel["type"] == "heatmap")
    del heatmap["targets"][1]


def wrong_thresholds(board):
    graph(board)["fieldConfig"]["defaults"]["thresholds"]["steps"] = [{"color": "red", "value": 1}]


def wrong_unit(board):
    graph(board)["fieldConfig"]["defaults"]["unit"] = "seconds"


def no_legend(board):
    graph(board)["targets"][0]["legendFormat"] = ""


def fixed_datasource(board):
    graph(board)["targets"][0]["datasource"] = {"type": "prometheus", "uid": "mine"}


def wrong_link(board):
    board["links"][0]["url"] = "/d/somewhere-else"


BROKEN = [
    ("dashboard_identity", put(uid="short")),
    ("dashboard_identity", put(id=7)),
    ("dashboard_identity", put(title="")),
    ("dashboard_identity", put(schemaVersion=16)),
    ("dashboard_uneditable", put(editable=True)),
    ("dashboard_tooltip", put(graphTooltip=0)),
    ("template_datasource", without_variable("datasource")),
    ("template_datasource", put_in_variable("datasource", label="Source")),
    ("template_job_and_instance", without_variable("job")),
    ("template_job_and_instance", put_in_variable("instance", allValue=".*")),
    ("template_queries", put_in_variable("function", query="label_values(lambda_info, function)")),
    ("template_queries", put_in_variable("function", refresh=1)),
    ("template_queries", put_in_variable("function", datasource={"type": "prometheus", "uid": "mine"})),
    ("template_use", without_variable("top")),
    ("template_use", put_in_variable("top", name="bottom")),
    ("layout", same_place),
    ("layout", put_in_graph(id=1)),
    ("layout", put_in_graph(gridPos={"x": 20, "y": 500, "w": 12, "h": 8})),
    ("links", wrong_link),
    ("links", put(links=[])),
    ("panel_title_and_description", put_in_graph(title="")),
    ("panel_title_and_description", put_in_graph(description="")),
    ("panel_kind", put_in_graph(type="graph")),
    ("panel_datasource", fixed_datasource),
    ("panel_units", wrong_unit),
    ("panel_thresholds", wrong_thresholds),
    ("panel_targets", put_in_graph(targets=[])),
    ("panel_targets", same_letter),
    ("panel_targets", no_legend),
    ("target_promql", expression(f"sum(rate(lambda_errors_total{{{SELECTED}}}[$__rate_interval])")),
    ("target_promql", expression(f"summe(rate(lambda_errors_total{{{SELECTED}}}[$__rate_interval]))")),
    ("target_promql", expression(f"sum(lambda_memory_limit_bytes{{{SELECTED}}}) ~ 2")),
    ("target_matchers", expression('sum(lambda_instances{job=~"$job", function=~"$function"})')),
    ("target_matchers", expression('sum(lambda_instances{job=~"$job", instance=~"$instance"})')),
    ("target_matchers", expression("sum(kelvin_functions)")),
    ("target_several_values", expression('sum(lambda_instances{job=~"$job", instance=~"$instance", function="$function"})')),
    ("target_rate_interval", expression(f"sum(rate(lambda_errors_total{{{SELECTED}}}[5m]))")),
    ("target_counters", expression(f"sum(lambda_errors_total{{{SELECTED}}})")),
    ("target_counters", expression(f"sum(max_over_time(lambda_errors_total{{{SELECTED}}}[$__rate_interval]))")),
    ("target_windows", expression(f"max(lambda_concurrent_executions_max{{{SELECTED}}})")),
    ("target_windows", expression(f"max(avg_over_time(lambda_memory_used_max_bytes{{{SELECTED}}}[$__rate_interval]))")),
    ("target_windows", expression(f"sum(max_over_time(lambda_concurrent_executions_max{{{SELECTED}}}[$__rate_interval]))")),
    ("target_histograms", one_form),
    ("target_histograms", expression(f"sum(rate(lambda_memory_used_bytes_bucket{{{SELECTED}}}[$__rate_interval]))")),
    ("target_metrics", expression(f"sum(lambda_kelvins{{{SELECTED}}})")),
]


@pytest.mark.parametrize(("name", "change"), BROKEN)
def test_the_lint_refuses(name, change):
    board = copy.deepcopy(dashboard("kelvin-overview"))
    change(board)
    assert list(getattr(dashboards_lint, name)(board))


def test_the_lint_has_a_broken_dashboard_for_every_rule():
    assert {name for name, _ in BROKEN} == {rule.__name__ for rule in dashboards_lint.RULES}
    assert all(rule.__doc__ for rule in dashboards_lint.RULES), "each has its reason"


def test_the_lint_from_the_command_line(tmp_path):
    board = dashboard("kelvin-overview")
    board["editable"] = True
    (tmp_path / "broken.json").write_text(json.dumps(board), encoding="utf-8")
    program = [sys.executable, dashboards_lint.__file__]
    said = subprocess.run(
        [*program, str(tmp_path / "broken.json")], capture_output=True, text=True, check=False, timeout=60)
    assert said.returncode == 1 and said.stdout.endswith("broken.json: dashboard_uneditable: editable is not false\n")
    files = [str(path) for path in FOLDER.glob("*.json")]
    assert subprocess.run([*program, *files], check=False, timeout=60).returncode == 0


# What Prometheus answers

class Scraped:
    """One story, and the servers that scraped all of it."""

    def __init__(self, host, servers, start):
        self.host, self.servers, self.end = host, servers, time.time()
        # Whole steps, so that the last one is at the end: what closed last may be seen by the last scrape alone.
        self.start = self.end - math.ceil(self.end - start)

    def values(self):
        """What Grafana puts in for its own variables, with a scrape interval of 1 s."""
        return {"__rate_interval": "4s", "__interval": "1s", "__range": f"{math.ceil(self.end - self.start)}s", "top": "10"}

    def answer(self, mode, target, values):
        """The series that a query brings, each with what is not NaN."""
        text = interpolate(target["expr"], {**self.values(), **values})
        if target.get("instant"):
            document = self.servers[mode].ask("query", query=text, time=self.end)
        else:
            document = self.servers[mode].ask("query_range", query=text, start=self.start, end=self.end, step=1)
        assert document["status"] == "success", f"{text}: {document}"
        return [
            series for series in document["data"]["result"] if any(not math.isnan(value) for value in samples(series))]


def samples(series):
    """The numbers of a series; of a histogram, its count."""
    pairs = [series[key] for key in ("value", "histogram") if key in series]
    for _, value in pairs + series.get("values", []) + series.get("histograms", []):
        yield float(value["count"] if isinstance(value, dict) else value)


@pytest.fixture(scope="module")
def scraped(hosts, client, tmp_path_factory):
    host = hosts(functions(), window=f"{WINDOW}s", account=100).start()
    servers = {
        "classic": Prometheus(tmp_path_factory.mktemp("classic"), host.agent),
        "native": Prometheus(tmp_path_factory.mktemp("native"), host.agent, features=["native-histograms"]),
    }
    try:
        for server in servers.values():
            server.start()
        start = time.time()
        # What is shown begins with a sample of before the story: an increase is from one sample to another.
        scraped_at = 'timestamp(lambda_function_info{function="orders"})'
        for server in servers.values():
            poll(lambda server=server: (server.value(scraped_at) or 0) > start, 30, "the first scrape")
        host.story = tell(host, client(host))
        end = host.metrics()("lambda_window_end_timestamp_seconds")
        # In all of them at the same moment, at which everything is asked: a scrape that failed would leave a gap there.
        shown = "lambda_window_end_timestamp_seconds"
        poll(
            lambda: all((server.value(shown) or 0) >= end for server in servers.values()), 30,
            "the last window is scraped")
        yield Scraped(host, servers, start)
    finally:
        for server in servers.values():
            server.stop()


@pytest.fixture(params=["classic", "native"])
def mode(request):
    return request.param


def test_the_story_had_everything(scraped):
    metrics = scraped.host.metrics()
    for name in (
        "lambda_throttles_total", "lambda_cold_starts_total", "lambda_crashes_total", "lambda_provisioned_invocations_total",
        "lambda_provisioned_spillover_invocations_total", "lambda_warmup_duration_seconds_count",
    ):
        assert metrics.total(name, function="orders") > 0, (name, scraped.host.story)
    assert metrics("lambda_timeouts_total", function="orders", source="handler") == 1
    assert metrics("lambda_timeouts_total", function="reports", source="platform") == 1
    assert metrics("lambda_out_of_memory_total", function="reports") == 1
    assert metrics("lambda_warmup_failures_total", function="lukewarm") == 1
    assert metrics("lambda_initialization_failures_total", function="unwritten") >= 1
    assert scraped.host.windows("orders", range="5m").largest("overlappingMax") >= 1


def choices(scraped, name):
    """Variables as somebody may choose them: all, which is put in as it is, one, and several."""
    every = {"job": ".+", "instance": ".+", "version": ".*"}
    several = {"job": ["kelvin", "other"], "instance": [scraped.host.agent, "10.0.0.1:27315"], "version": ".*"}
    if name == "kelvin-function":
        return [every | {"function": "orders"}, several | {"function": "orders"}]
    return [every | {"function": ".+"}, several | {"function": ["orders"]}, several | {"function": ["orders", "reports"]}]


def is_other_form(panel, target, mode):
    """Whether a query of a heatmap is for the other kind of histograms."""
    return panel["type"] == "heatmap" and ("_bucket{" in target["expr"]) != (mode == "classic")


# What does not happen in the story, or may pass between two scrapes, by title and legend.
QUIET = {
    ("Concurrency against its limits", "executions now"),
    ("Events", "duplicates"),
    ("Events not counted", "Events not counted"),
    *(("Events that are not counted in full", legend)
      for legend in ("rejected: {{reason}}", "dropped", "late", "lost executions", "lost windows")),
    ("Lost windows and executions", "Lost windows and executions"),
    ("Queue", "waiting"),
    ("Checkpoints", "failed"),
    ("Failed checkpoints", "Failed checkpoints"),
}
# What happens to another function than the one that is shown.
OF_OTHERS = {
    "kelvin-overview": set(),
    "kelvin-function": {("Errors", "out of memory"), ("Initializations", "failed"), ("Initializations", "warm-up failed")},
}


@pytest.mark.parametrize("name", NAMES)
def test_every_query_has_an_answer(scraped, mode, name):
    board, empty, zero = dashboard(name), [], []
    for values in choices(scraped, name):
        for panel, target in dashboards_lint.targets(board):
            found = scraped.answer(mode, target, values)
            if is_other_form(panel, target, mode):
                assert not found, f"{dashboards_lint.named(panel, target)} has classic and native histograms"
            elif not found:
                empty.append((dashboards_lint.named(panel, target), values, target["expr"]))
            elif not any(value for series in found for value in samples(series)):
                zero.append((values["function"], panel["title"], target["legendFormat"]))
    assert not empty, f"{len(empty)} are empty: {empty}"
    shown_as_zero = {(title, legend) for function, title, legend in zero if function in (".+", "orders")}
    assert shown_as_zero <= QUIET | OF_OTHERS[name], "what happened is shown as 0"


@pytest.mark.parametrize("name", NAMES)
def test_every_annotation_has_an_answer(scraped, mode, name):
    for values in choices(scraped, name):
        for annotation in dashboards_lint.annotations(dashboard(name)):
            found = scraped.answer(mode, annotation, values)
            assert "orders" in {series["metric"]["function"] for series in found}, (annotation["name"], values)
            # Somewhere, and not all the time.
            points = max(len(series["values"]) for series in found)
            assert 0 < points < (scraped.end - scraped.start) / 2, (annotation["name"], points)


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_has_values(scraped, mode, name):
    host, server = scraped.host, scraped.servers[mode]
    expected = {
        "job": ["kelvin"], "instance": [host.agent], "function": ["lukewarm", "orders", "reports", "unwritten"],
        # The host tells of no versions but $LATEST, which has no label.
        "version": [],
    }
    chosen = {"job": ".+", "instance": ".+", "function": "orders"}
    for entry in dashboard(name)["templating"]["list"]:
        if entry["type"] != "query":
            continue
        series, label = entry["query"]["query"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        document = server.ask(f"label/{label}/values", **{"match[]": interpolate(series, chosen)})
        assert document["data"] == expected[entry["name"]], entry["name"]


def test_numbers_are_those_of_the_agent(scraped, mode):
    """Some of what is shown, against the agent's own windows and counters."""
    board, values = dashboard("kelvin-function"), {"job": ".+", "instance": ".+", "version": ".*", "function": "orders"}

    def shown(title, legend):
        for panel, target in dashboards_lint.targets(board):
            if (panel["title"], target["legendFormat"]) == (title, legend):
                return [value for series in scraped.answer(mode, target, values) for value in samples(series)]
        raise AssertionError(f"there is no {legend} in {title}")

    windows = scraped.host.windows("orders", range="5m")
    assert max(shown("Concurrency against its limits", "executions (max)")) == windows.largest("concurrencyMax") == 4
    assert set(shown("Concurrency against its limits", "reserved")) == {4, 5}
    assert shown("Most at once", "Most at once") == [4]
    assert shown("Provisioned", "Provisioned") == [3]
    assert max(shown("Provisioned concurrency in use", "in use")) == 1
    throttles = scraped.host.metrics().total("lambda_throttles_total", function="orders")
    assert throttles == 3
    increase = shown("Throttles", "Throttles")[0]
    assert at_most(throttles, increase) and increase <= throttles * 1.2, "extrapolated by a scrape or two"
    longest = max(float(window["duration"]["max"]) for window in windows.list if window["invocations"])
    assert max(shown("Duration against the timeout", "max")) == pytest.approx(longest, rel=0.05)


def test_every_metric_is_one_that_the_agent_exposes(scraped):
    """In a scrape, beside docs/metrics.md, by which the lint goes."""
    exposed = {name for name, _ in scraped.host.metrics().values} | dashboards_lint.OF_PROMETHEUS
    exposed |= {name.removesuffix("_bucket") for name in exposed if name.endswith("_bucket")}
    for name in NAMES:
        asked = {selector.metric for _, text in dashboards_lint.expressions(dashboard(name)) for selector in selectors(text)}
        assert asked <= exposed, asked - exposed


# What docs/guides/prometheus.md says

GUIDE = REPOSITORY / "docs" / "guides" / "prometheus.md"


def queries_of_guide(heading):
    """The queries in the table below a heading, each with what is said of it."""
    part = GUIDE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [(re.search(r"`([^`]*lambda_[^`]*)`", line), line) for line in part.splitlines() if line.startswith("|")]
    return [(query[1], line) for query, line in found if query]


def test_the_queries_of_the_guide_have_answers(scraped, mode):
    queries = queries_of_guide("What to ask")
    assert len(queries) >= 8
    for query, said in queries:
        result = scraped.servers[mode].query(query)
        in_form = "histogram_quantile" not in query or ("_bucket" in query) == (mode == "classic")
        assert bool(result) == in_form, said


def test_the_queries_that_the_guide_warns_of_are_queries(scraped):
    for query, _ in queries_of_guide("What not to ask"):
        assert scraped.servers["classic"].query(query), query


def test_the_configuration_of_the_guide_is_right(tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    kinds = {"scrape_configs": "config", "groups": "rules"}
    assert [next(iter(yaml.safe_load(block))) for block in blocks] == list(kinds)
    for block, kind in zip(blocks, kinds.values()):
        path = tmp_path / f"{kind}.yml"
        path.write_text(block, encoding="utf-8")
        said = subprocess.run([promtool(), "check", kind, str(path)], capture_output=True, text=True, check=False, timeout=60)
        assert said.returncode == 0, (said.stdout, said.stderr)


def test_variables_are_put_in_as_grafana_does():
    assert escape("127.0.0.1:80") == "127\\\\.0\\\\.0\\\\.1:80"
    text = 'x{a=~"$a", b=~"${b}", c="$c"}[$__rate_interval]'
    assert variables(text) == {"a", "b", "c", "__rate_interval"}
    values = {"a": ["1.5", "2"], "b": ["one"], "c": "f", "__rate_interval": "4s"}
    assert interpolate(text, values) == 'x{a=~"(1\\\\.5|2)", b=~"one", c="f"}[4s]'


# Provisioning

def provisioning(kind):
    (path,) = (FOLDER / "provisioning" / kind).glob("*.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_provisioning_names_no_machine():
    source, provider = provisioning("datasources"), provisioning("dashboards")
    assert source["apiVersion"] == provider["apiVersion"] == 1
    ((one,), (other,)) = source["datasources"], provider["providers"]
    assert (one["type"], one["access"], one["url"]) == ("prometheus", "proxy", "$PROMETHEUS_URL")
    assert (other["type"], other["options"]["path"], other["allowUiUpdates"]) == ("file", "$KELVIN_DASHBOARDS", False)
    guide = (REPOSITORY / "docs" / "guides" / "grafana.md").read_text(encoding="utf-8")
    for name in ("PROMETHEUS_URL", "KELVIN_DASHBOARDS", *NAMES):
        assert name in guide
