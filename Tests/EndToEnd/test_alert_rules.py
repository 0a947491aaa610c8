"""The rules that `kelvin rules` prints: promtool's checks and unit tests, runbooks, and that they speak of real metrics."""
import json
import re
import shutil
import subprocess

import pytest
import yaml

from kelvin_host import REPOSITORY, python_function, request, run
from prometheus_server import promtool

ALERTS = REPOSITORY / "Dashboards" / "Alerts"
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
TESTS = sorted((ALERTS / "tests").glob("*.yaml"))
# What Prometheus itself adds to each target.
OF_PROMETHEUS = {"up"}


def alerts_of(path):
    """The alerts of a file by what tells them apart: the name, and the longer time where there are several."""
    groups = yaml.safe_load(path.read_text())["groups"]
    return {
        (rule["alert"], rule["labels"].get("long_window")): rule
        for group in groups for rule in group["rules"] if "alert" in rule}


def all_alerts():
    return {**alerts_of(ALERTS / "kelvin.rules.yaml"), **alerts_of(ALERTS / "tests" / "databases" / "kelvin.rules.yaml")}


def check_rules(path):
    return subprocess.run(
        [promtool(), "check", "rules", "--lint=all", "--lint-fatal", str(path)], capture_output=True, text=True,
        timeout=60, check=False)


# promtool

@pytest.mark.parametrize("path", ["kelvin.rules.yaml", "tests/databases/kelvin.rules.yaml"])
def test_promtool_finds_nothing(path):
    result = check_rules(ALERTS / path)
    assert (result.returncode, result.stderr) == (0, ""), result
    assert re.search(r"SUCCESS: \d+ rules found", result.stdout)


def test_promtool_would_find_something(tmp_path):
    text = (ALERTS / "kelvin.rules.yaml").read_text()
    for change in [lambda text: text.replace(" > 0\n", " >\n"), lambda text: text.replace("$labels.", "$lables.")]:
        assert change(text) != text
        (tmp_path / "wrong.yaml").write_text(change(text))
        assert check_rules(tmp_path / "wrong.yaml").returncode != 0


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_unit_tests_pass(path):
    result = subprocess.run(
        [promtool(), "test", "rules", path.name], cwd=path.parent, capture_output=True, text=True, timeout=300,
        check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_unit_tests_would_fail_with_other_thresholds(kelvin, tmp_path):
    """Counts that are never reached, shares that are never exceeded: whatever fires with the defaults is silent then."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ALERTS / "tests" / "failures.yaml", tmp_path / "tests")
    shutil.copy(ALERTS / "tests" / "limits.yaml", tmp_path / "tests")
    (tmp_path / "kelvin.yaml").write_text(json.dumps({"alerts": {
        "timeouts": 1000, "crashes": 1000, "outOfMemory": 1000, "overlappingExecutions": 1000, "memoryShare": "100%",
        "durationShare": "100%"}}))
    assert run(kelvin, "rules", "--output", "kelvin.rules.yaml", cwd=tmp_path).returncode == 0
    for name in ["failures.yaml", "limits.yaml"]:
        result = subprocess.run(
            [promtool(), "test", "rules", name], cwd=tmp_path / "tests", capture_output=True, text=True, timeout=300,
            check=False)
        assert result.returncode == 1
        fired = [
            check["alertname"] for test in yaml.safe_load((ALERTS / "tests" / name).read_text())["tests"]
            for check in test["alert_rule_test"] if check["exp_alerts"]]
        assert len(re.findall("alertname: ", result.stderr)) == len(fired), result.stderr


@pytest.fixture(scope="module")
def unit_tests():
    return [test for path in TESTS for test in yaml.safe_load(path.read_text())["tests"]]


@pytest.mark.parametrize("alert", sorted(all_alerts(), key=str), ids=lambda alert: "-".join(filter(None, alert)))
def test_each_alert_has_unit_tests(unit_tests, alert):
    name, window = alert

    def fires(check):
        return any(window in (None, one["exp_labels"].get("long_window")) for one in check["exp_alerts"])

    fired = resolved = below = False
    for test in unit_tests:
        # promtool takes them in any order; time is what counts.
        checks = sorted(
            (check for check in test.get("alert_rule_test", []) if check["alertname"] == name),
            key=lambda check: minutes(check["eval_time"]))
        states = [fires(check) for check in checks]
        if test["name"].startswith(f"{name} {window} just below" if window else f"{name} just below"):
            below = below or bool(states) and not any(states)
        elif True in states:
            fired = True
            resolved = resolved or False in states[states.index(True):]
    assert (fired, below, resolved) == (True, True, True), f"{alert}: fires, is quiet just below, resolves"


def minutes(text):
    """A time such as 6h10m."""
    return sum(int(number) * {"h": 60, "m": 1}[unit] for number, unit in re.findall(r"(\d+)([hm])", text))


# The command

def test_the_command_prints_the_file_in_the_repository(kelvin, tmp_path):
    result = run(kelvin, "rules", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (ALERTS / "kelvin.rules.yaml").read_text()
    folder = ALERTS / "tests" / "databases"
    result = run(kelvin, "rules", "--config", "kelvin.yaml", cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (folder / "kelvin.rules.yaml").read_text()


def test_other_thresholds_are_rules_too(kelvin, tmp_path):
    (tmp_path / "kelvin.yaml").write_text(json.dumps({
        "functions": {
            f"function-{number}": {"command": ["a"], "databaseConnections": number % 7} for number in range(1000)},
        "alerts": {
            "range": "90s", "for": "0s", "job": "backend/kelvin:1", "runbooks": "https://wiki.example/a?b=c&d='e'",
            "errorObjective": "99.9999%", "databaseConnectionsLimit": 1, "initializationDuration": "1500ms",
            "throttles": 1000000000, "coldStartShare": "0.0001%"},
    }))
    assert run(kelvin, "rules", "--output", "rules.yaml", cwd=tmp_path).returncode == 0
    result = check_rules(tmp_path / "rules.yaml")
    assert (result.returncode, result.stderr) == (0, ""), result


# Alerts against the rest of the house

@pytest.fixture(scope="module")
def exposed(hosts):
    """The names of all metrics of a live agent."""
    # With all that can be set aside: without it, some are absent.
    host = hosts({"reports": python_function(reserved=2, provisioned=1)}, window="1s").start()
    batch = '{"source":"a1b2c3d4e5f64718899aabbccddeeff0","sequence":1}\n{"event":"throttled"}\n'
    for kind in ("queue", "schedule", "direct"):
        batch += json.dumps({"event": "sourceChanged", kind: "mail", "time": 1, "changes": [{"oldest": None}]}) + "\n"
    headers = {"Content-Type": "application/x-ndjson"}
    assert request(host.agent, "POST", "/v1/events", batch, headers).status == 200
    answer = request(host.agent, "GET", "/metrics")
    assert answer.status == 200
    result = subprocess.run(
        [promtool(), "check", "metrics"], input=answer.body.decode(), capture_output=True, text=True, timeout=60,
        check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", answer.body.decode(), re.MULTILINE):
        names |= {name, f"{name}_bucket"} if kind == "histogram" else {name}
    return names


def names_in(expression):
    """The metrics of an expression, recorded ones too."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "[]", expression)
    return set(re.findall(r"\b(?:function:)?(?:lambda|kelvin)_[a-z0-9_:]+|\bup\b", bare))


@pytest.mark.parametrize("path", ["kelvin.rules.yaml", "tests/databases/kelvin.rules.yaml"])
def test_expressions_name_metrics_that_the_agent_exposes(exposed, path):
    recorded, used = set(), set()
    for group in yaml.safe_load((ALERTS / path).read_text())["groups"]:
        for rule in group["rules"]:
            found = names_in(rule["expr"])
            assert found, rule
            used |= found
            recorded |= {rule["record"]} if "record" in rule else set()
    assert len(used) > 40
    assert used - exposed - recorded - OF_PROMETHEUS == set()


def test_no_alert_counts_by_a_histogram():
    for (name, _), rule in all_alerts().items():
        assert not re.search(r"_(count|sum)\b", rule["expr"]), f"{name}: native histograms have no such series"


def test_alerts_are_described():
    for (name, _), rule in all_alerts().items():
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), name
        annotations = rule["annotations"]
        assert set(annotations) == {"summary", "description", "runbook_url"}, name
        assert annotations["summary"].endswith(".") and "{{" not in annotations["summary"], name
        page, anchor = annotations["runbook_url"].removeprefix("https://kelvin.example/runbooks/").split("#")
        headings = re.findall(r"^## (.+)$", (RUNBOOKS / page).read_text(), re.MULTILINE)
        assert anchor in [heading.lower() for heading in headings], f"{name}: {page} has no heading for it"


# The guide

GUIDE = REPOSITORY / "docs" / "guides" / "alerting.md"


def example(beginning):
    """The first example of the guide in YAML that begins so."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if block.startswith(beginning))


def test_the_examples_of_the_guide_are_accepted(kelvin, tmp_path):
    (tmp_path / "prometheus.yml").write_text(example("# prometheus.yml"))
    (tmp_path / "kelvin.yaml").write_text(example("functions:"))
    (tmp_path / "alertmanager.yml").write_text(example("route:"))
    assert run(kelvin, "rules", "--output", "kelvin.rules.yaml", cwd=tmp_path).returncode == 0
    for command in [
        [promtool(), "check", "config", "prometheus.yml"], [shutil.which("amtool"), "check-config", "alertmanager.yml"]]:
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_guide_and_the_examples_name_alerts_that_are_there():
    names = {name for name, _ in all_alerts()}
    text = GUIDE.read_text() + (RUNBOOKS / "README.md").read_text()
    named = set(re.findall(r"\b(?:Lambda|Kelvin)[A-Z]\w+", text))
    assert named - names == set()
    assert names - set(re.findall(r"\w+", (RUNBOOKS / "README.md").read_text())) == set()


# Runbooks

PAGES = sorted(RUNBOOKS.glob("*.md"))


def commands():
    """Each command line of the runbooks, once."""
    found = set()
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            found |= {line for line in block.splitlines() if line}
    return sorted(found)


@pytest.fixture(scope="module")
def command_tree(kelvin):
    result = run(kelvin, "--experimental-dump-help", cwd=REPOSITORY)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)["command"]


@pytest.mark.parametrize("line", commands())
def test_command_lines_of_runbooks_parse(command_tree, line):
    words = re.findall(r"'[^']*'|\S+", line)
    assert words.pop(0) == "kelvin"
    if words == ["--version"]:
        return
    command = command_tree
    while words and any(words[0] == one["commandName"] for one in command.get("subcommands", [])):
        word = words.pop(0)
        command = next(one for one in command["subcommands"] if one["commandName"] == word)
    assert command is not command_tree, f"{line}: {words} is no command"
    assert command.get("subcommands", []) == [] or "defaultSubcommand" in command, f"{line}: which one?"
    arguments = command["arguments"]
    takes = {
        ("--" if name["kind"] == "long" else "-") + name["name"]: one["kind"] == "option"
        for one in arguments for name in one.get("names", [])}
    values = 0
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            assert word in takes, f"{line}: {word} is no option of it"
            if takes[word]:
                assert words and not words.pop(0).startswith("-"), f"{line}: {word} needs a value"
        else:
            values += 1
    positional = [one for one in arguments if one["kind"] == "positional"]
    required = [one for one in positional if not one["isOptional"]]
    assert len(required) <= values <= len(positional), f"{line}: {values} arguments"


def test_there_are_commands_to_type():
    assert len(commands()) > 20
    for page in PAGES:
        text = page.read_text()
        if page.name != "README.md":
            sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
            assert all("```sh\nkelvin " in section for section in sections), f"{page.name}: a section without a command"
