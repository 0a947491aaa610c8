"""Looks over dashboards of Grafana's: python dashboards_lint.py FILE…

Most rules are those of Grafana's own dashboard-linter, which is not in Debian; the rest is what Kelvin's metrics ask for.
A rule is a function that yields what is wrong; its documentation is its reason.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from promql import interpolate, selectors, variables
from prometheus_server import promtool

METRICS_PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "metrics.md"
UIDS = {"kelvin-overview", "kelvin-function"}
PANELS = {"timeseries", "stat", "gauge", "bargauge", "table", "heatmap", "state-timeline", "text"}
# Of Grafana's units, those that base units of Prometheus call for.
UNITS = {
    "short", "none", "percentunit", "s", "bytes", "Bps", "cps", "ops", "reqps", "dateTimeAsIso", "dateTimeFromNow",
    "bool_yes_no",
}
# Made by Prometheus for every target.
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped"}
BUILT_IN = {"__rate_interval", "__interval", "__range", "__url_time_range", "__field", "__value", "__data"}
RULES = []


def rule(function):
    RULES.append(function)
    return function


# What a dashboard consists of

def panels(dashboard):
    """All panels, those of collapsed rows too, without rows."""
    for panel in dashboard.get("panels", []):
        if panel.get("type") == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def rows(dashboard):
    return [panel for panel in dashboard.get("panels", []) if panel.get("type") == "row"]


def targets(dashboard):
    """Panels with each of their queries."""
    return [(panel, target) for panel in panels(dashboard) for target in panel.get("targets", [])]


def annotations(dashboard):
    return [entry for entry in dashboard.get("annotations", {}).get("list", []) if not entry.get("builtIn")]


def variable(dashboard, name):
    return next((entry for entry in dashboard.get("templating", {}).get("list", []) if entry.get("name") == name), None)


def overridden(panel):
    """What is set for some fields of a panel, as pairs of key and value."""
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for entry in override.get("properties", []):
            yield entry.get("id"), entry.get("value")


def named(panel, target=None):
    letter = f", query {target.get('refId')}" if target else ""
    return f"panel {panel.get('id')} \"{panel.get('title')}\"{letter}"


def expressions(dashboard):
    """Where it stands and its text, of every expression."""
    found = [(named(panel, target), target.get("expr", "")) for panel, target in targets(dashboard)]
    return found + [(f"annotation \"{entry.get('name')}\"", entry.get("expr", "")) for entry in annotations(dashboard)]


def parsed(expression):
    """Its selectors; none if it cannot be read, which is a rule of its own."""
    try:
        return selectors(expression)
    except ValueError:
        return []


def known_metrics():
    """Names of series by docs/metrics.md, which is generated from the agent's own table."""
    names = set(OF_PROMETHEUS)
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", METRICS_PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        names.add(name)
        if kind == "histogram":
            names |= {f"{name}_{end}" for end in ("bucket", "sum", "count")}
    return names


def histograms():
    return {name.removesuffix("_bucket") for name in known_metrics() if name.endswith("_bucket")}


# Rules of the whole

@rule
def dashboard_identity(dashboard):
    """Provisioning replaces a dashboard by its uid, links lead to it, and a number would belong to one Grafana only."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{8,40}", str(dashboard.get("uid", ""))):
        yield f"the uid {dashboard.get('uid')!r} is not 8 to 40 letters, digits, - and _"
    if not dashboard.get("title") or not dashboard.get("description"):
        yield "title or description is missing"
    if "kelvin" not in dashboard.get("tags", []):
        yield "the tag kelvin is missing"
    if "id" in dashboard or "__inputs" in dashboard:
        yield "id and __inputs belong to a single Grafana"
    if dashboard.get("schemaVersion", 0) < 36:
        yield "schemaVersion is under 36: Grafana would have to migrate it"


@rule
def dashboard_uneditable(dashboard):
    """What is provisioned would be overwritten; who wants to change it makes a copy."""
    if dashboard.get("editable") is not False:
        yield "editable is not false"


@rule
def dashboard_tooltip(dashboard):
    """A peak is looked at in all graphs at the same time."""
    if dashboard.get("graphTooltip") not in (1, 2):
        yield "graphTooltip is not shared"


@rule
def template_datasource(dashboard):
    """Whoever has several servers chooses one, and nobody has ours."""
    found = [entry for entry in dashboard.get("templating", {}).get("list", []) if entry.get("type") == "datasource"]
    if len(found) != 1:
        yield f"{len(found)} variables of data sources, in place of one"
    for entry in found:
        if (entry.get("name"), entry.get("label"), entry.get("query")) != ("datasource", "Data source", "prometheus"):
            yield "the variable of data sources is not datasource, \"Data source\", prometheus"


@rule
def template_job_and_instance(dashboard):
    """Every series that Prometheus scrapes has both labels: they tell agents apart."""
    for name in ("job", "instance"):
        entry = variable(dashboard, name)
        if entry is None:
            yield f"the variable {name} is missing"
        elif [entry.get(key) for key in ("label", "multi", "includeAll", "allValue")] != [name.capitalize(), True, True, ".+"]:
            yield f"the variable {name} is not labelled {name.capitalize()}, with several values, and .+ for all"


@rule
def template_queries(dashboard):
    """Variables come from series that exist, from the chosen data source, and follow the time that is shown."""
    for entry in dashboard.get("templating", {}).get("list", []):
        if entry.get("type") != "query":
            continue
        where, query = f"the variable {entry.get('name')}", entry.get("query")
        text = query.get("query", "") if isinstance(query, dict) else str(query)
        if entry.get("datasource", {}).get("uid") != "${datasource}":
            yield f"{where} does not ask the chosen data source"
        if entry.get("refresh") != 2:
            yield f"{where} is not read again when the time changes"
        match = re.fullmatch(r"label_values\((.+), *(\w+)\)", text)
        if not match or {selector.metric for selector in parsed(match[1])} - known_metrics() or not parsed(match[1]):
            yield f"{where} is no label_values(metric, label) of a metric that Kelvin has: {text}"


@rule
def template_use(dashboard):
    """A variable that nothing uses does nothing; one that is not defined is put in as its name."""
    entries = dashboard.get("templating", {}).get("list", [])
    defined = {entry.get("name") for entry in entries}
    text = json.dumps({key: value for key, value in dashboard.items() if key != "templating"})
    text += json.dumps([entry.get("query") for entry in entries])
    # A row repeats for each value of a variable; that is use, too.
    used = variables(text) | {row.get("repeat") for row in rows(dashboard)} | set(re.findall(r"\$\{(\w+)[.:}]", text))
    for name in sorted(defined - used):
        yield f"the variable {name} is not used"
    for name in sorted(used - defined - BUILT_IN - {None}):
        yield f"${name} is not defined"


@rule
def layout(dashboard):
    """Panels have numbers of their own, stand within 24 columns, and do not lie on each other."""
    every = list(panels(dashboard)) + rows(dashboard)
    numbers = [panel.get("id") for panel in every]
    for number in sorted({number for number in numbers if numbers.count(number) > 1}, key=str):
        yield f"{numbers.count(number)} panels have the number {number}"
    places = [(panel, *(panel.get("gridPos", {}).get(key, 0) for key in "xywh")) for panel in every]
    for index, (panel, x, y, width, height) in enumerate(places):
        if width < 1 or height < 1 or x < 0 or y < 0 or x + width > 24:
            yield f"{named(panel)} is not within the columns"
        for other, left, top, other_width, other_height in places[:index]:
            if x < left + other_width and left < x + width and y < top + other_height and top < y + height:
                yield f"{named(panel)} lies on {named(other)}"


@rule
def links(dashboard):
    """Links lead to a dashboard that is here, and keep what is chosen."""
    every = [entry.get("url", "") for entry in dashboard.get("links", [])]
    for panel in panels(dashboard):
        config = panel.get("fieldConfig", {})
        every += [entry.get("url", "") for entry in config.get("defaults", {}).get("links", [])]
        every += [link.get("url", "") for key, value in overridden(panel) if key == "links" for link in value]
    if not dashboard.get("links"):
        yield "it leads to no other dashboard"
    for url in every:
        match = re.match(r"/d/([\w-]+)\?", url)
        if not match or match[1] not in UIDS or "${datasource:queryparam}" not in url:
            yield f"the link {url} leads to no dashboard here, or loses the data source"


# Rules of panels

@rule
def panel_title_and_description(dashboard):
    """A title says what is shown, a description what it means."""
    for panel in panels(dashboard):
        if not panel.get("title") or not str(panel.get("description", "")).endswith("."):
            yield f"{named(panel)} has no title, or no description that is a sentence"


@rule
def panel_kind(dashboard):
    """Older kinds are gone from Grafana."""
    for panel in panels(dashboard):
        if panel.get("type") not in PANELS:
            yield f"{named(panel)} is a {panel.get('type')}"


@rule
def panel_datasource(dashboard):
    """Panels and queries ask the chosen data source."""
    for panel in panels(dashboard):
        for holder in (panel, *panel.get("targets", [])):
            if holder.get("datasource") != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"{named(panel)} does not ask the chosen data source"


@rule
def panel_units(dashboard):
    """A number without a unit is none."""
    for panel in panels(dashboard):
        unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
        more = [value for key, value in overridden(panel) if key == "unit"]
        axis = [panel.get("options", {}).get("yAxis", {}).get("unit")] if panel.get("type") == "heatmap" else []
        for wrong in [one for one in [unit, *more, *axis] if one not in UNITS]:
            yield f"{named(panel)} has the unit {wrong!r}"


@rule
def panel_thresholds(dashboard):
    """The first step is where everything begins, and the others go up; Grafana ignores what does not."""
    for panel in panels(dashboard):
        thresholds = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {})
        steps = [step.get("value") for step in thresholds.get("steps", [])]
        if not steps or steps[0] is not None or None in steps[1:] or steps[1:] != sorted(set(steps[1:])):
            yield f"{named(panel)} has the thresholds {steps}"


@rule
def panel_targets(dashboard):
    """A panel has queries, with letters of their own, and says what their lines are."""
    for panel in panels(dashboard):
        letters = [target.get("refId") for target in panel.get("targets", [])]
        if panel.get("type") != "text" and not letters:
            yield f"{named(panel)} asks nothing"
        if len(set(letters)) != len(letters):
            yield f"{named(panel)} has two queries of one letter"
        for target in panel.get("targets", []):
            if panel.get("type") == "timeseries" and target.get("legendFormat") in (None, "", "__auto"):
                yield f"{named(panel, target)} has no legend"


# Rules of queries

@rule
def target_promql(dashboard):
    """Prometheus reads it."""
    every = expressions(dashboard)
    for where, text in every:
        try:
            selectors(text)
        except ValueError as problem:
            yield f"{where}: {problem}"
    values = dict.fromkeys(set().union(*(variables(text) for _, text in every)) - BUILT_IN, "1")
    values |= {"__rate_interval": "1m", "__interval": "15s", "__range": "1h"}
    rules = [
        {"record": f"expression:{number}", "expr": interpolate(text, values)} for number, (_, text) in enumerate(every)]
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        said = subprocess.run(
            [promtool(), "check", "rules", file.name], capture_output=True, text=True, check=False, timeout=60)
    if said.returncode:
        problems = re.findall(r"rule (\d+), \S+ (.*)", said.stderr) or [("1", said.stderr.strip())]
        for number, text in problems:
            yield f"{every[int(number) - 1][0]}: {text}"


@rule
def target_matchers(dashboard):
    """Two agents, or two jobs, must not get mixed; a function that is not chosen must not be shown."""
    for where, text in expressions(dashboard):
        for selector in parsed(text):
            for name in ("job", "instance"):
                if selector.matchers.get(name) != ("=~", f"${name}"):
                    yield f'{where}: {selector.metric} is not matched by {name}=~"${name}"'
            of_all = selector.metric.startswith(
                ("lambda_account_", "lambda_window_", "lambda_queue_", "lambda_schedule_", "lambda_websocket_"))
            of_function = selector.metric.startswith("lambda_") and not of_all
            if of_function and selector.matchers.get("function", ("", ""))[1] != "$function":
                yield f"{where}: {selector.metric} is not matched by the chosen function"


@rule
def target_several_values(dashboard):
    """A variable of several values is put in as alternatives, which only =~ understands; one of a single value is no
    expression."""
    for where, text in expressions(dashboard):
        for selector in parsed(text):
            for label, (operator, value) in selector.matchers.items():
                for name in variables(value):
                    entry = variable(dashboard, name)
                    if entry and (operator == "=~") != bool(entry.get("multi")):
                        yield f"{where}: {label}{operator}\"{value}\" in {selector.metric}"


@rule
def target_rate_interval(dashboard):
    """$__rate_interval holds four scrapes and no less than a step, so that a graph neither breaks off nor loses what lies
    between two points. For one number over all that is shown there is $__range."""
    for panel, target in targets(dashboard):
        allowed = "$__range" if target.get("instant") else "$__rate_interval"
        for selector in parsed(target.get("expr", "")):
            if selector.range not in ("", allowed):
                yield f"{named(panel, target)}: {selector.metric}[{selector.range}] in place of [{allowed}]"


@rule
def target_counters(dashboard):
    """A counter alone says how long it has been counted."""
    for where, text in expressions(dashboard):
        for selector in parsed(text):
            counts = selector.metric.endswith(("_total", "_bucket", "_sum", "_count")) or selector.metric in histograms()
            if counts and (not selector.range or selector.calls[-1:] not in (("rate",), ("irate",), ("increase",))):
                yield f"{where}: {selector.metric} is not in rate, irate or increase"


@rule
def target_windows(dashboard):
    """Gauges of the last closed window are maxima: over time only their maximum means something, and peaks do not add up."""
    for where, text in expressions(dashboard):
        for selector in parsed(text):
            if re.search(r"_max(_seconds|_bytes)?$", selector.metric):
                if selector.calls[-1:] != ("max_over_time",):
                    yield f"{where}: {selector.metric} is not in max_over_time"
                if "sum" in selector.calls or "avg" in selector.calls:
                    yield f"{where}: {selector.metric} is added up"


@rule
def target_histograms(dashboard):
    """Where native histograms are kept there are no classic ones, and the other way round: each is asked for beside the
    other."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            beside = panel["targets"] if panel.get("type") == "heatmap" else [target]
            names = {selector.metric for one in beside for selector in parsed(one.get("expr", ""))}
            for selector in parsed(target.get("expr", "")):
                name = re.sub(r"_(bucket|sum|count)$", "", selector.metric)
                if name not in histograms():
                    continue
                if name not in names or not {f"{name}_bucket", f"{name}_sum"} & names:
                    yield f"{named(panel, target)}: {name} is asked for in one form only"
                shown = "histogram_quantile" in selector.calls or target.get("format") == "heatmap"
                if selector.metric.endswith("_bucket") and not shown:
                    yield f"{named(panel, target)}: {selector.metric} is neither in histogram_quantile nor in a heatmap"


@rule
def target_metrics(dashboard):
    """Kelvin exposes it."""
    known = known_metrics()
    for where, text in expressions(dashboard):
        for selector in parsed(text):
            if selector.metric not in known:
                yield f"{where}: there is no {selector.metric}"


# The whole

def lint(dashboard):
    """All that is wrong, as (name of the rule, text)."""
    return [(check.__name__, problem) for check in RULES for problem in check(dashboard)]


def main(files):
    if not files:
        print(__doc__)
        for check in RULES:
            print(f"{check.__name__}: {' '.join(check.__doc__.split())}")
        return 64
    count = 0
    for path in files:
        for name, problem in lint(json.loads(Path(path).read_text(encoding="utf-8"))):
            print(f"{path}: {name}: {problem}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
