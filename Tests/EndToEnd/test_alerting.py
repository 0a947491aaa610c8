"""A live host, a real Prometheus with the rules of `kelvin rules`, and a real Alertmanager: alerts fire and resolve."""
import pytest

from alertmanager_server import Alertmanager, AlertingPrometheus, Receiver
from bursts import at_once
from kelvin_host import poll, python_function, run

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
# Short, so that alerts resolve within the test: the range is what counts of the past.
THRESHOLDS = {"range": "10s", "for": "0s", "runbooks": "https://runbooks.example/kelvin"}


@pytest.fixture(scope="module")
def alerting(hosts, kelvin, tmp_path_factory):
    host = hosts({
        "reports": python_function(reserved=2, timeout="20s"), "slow": python_function(timeout="1s"),
    }, window="1s", alerts=THRESHOLDS).start()
    # Warm, so that nothing but what the tests do is seen.
    at_once(2, lambda _: host.invoke("reports", {"do": "sleep", "ms": 300}))
    host.invoke("slow", {"do": "ok"})
    result = run(kelvin, "rules", "--output", "kelvin.rules.yaml", cwd=host.folder)
    assert (result.returncode, result.stderr) == (0, "")
    receiver = Receiver()
    alertmanager = prometheus = None
    try:
        alertmanager = Alertmanager(tmp_path_factory.mktemp("alertmanager"), receiver).start()
        prometheus = AlertingPrometheus(
            tmp_path_factory.mktemp("prometheus"), host.agent, host.folder / "kelvin.rules.yaml", alertmanager).start()
        poll(lambda: prometheus.value('lambda_function_info{function="slow"}') == 1, 30, "the first scrape")
        poll(lambda: prometheus.query("increase(lambda_throttles_total[10s])"), 30, "two scrapes")
        yield host, prometheus, receiver
    finally:
        for server in [prometheus, alertmanager, receiver]:
            if server is not None:
                server.stop()


def fires_and_resolves(receiver, cause, **labels):
    """Both notifications of an alert that was not there before its cause."""
    assert receiver.told("firing", **labels) == []
    cause()
    (fired,) = poll(lambda: receiver.told("firing", **labels), 30, lambda: f"it fires: {receiver.alerts}")[:1]
    (resolved,) = poll(lambda: receiver.told("resolved", **labels), 60, lambda: f"it resolves: {receiver.alerts}")[:1]
    assert resolved["labels"] == fired["labels"]
    assert resolved["endsAt"] > fired["startsAt"]
    return fired


def test_a_throttle_fires_and_resolves(alerting):
    host, _, receiver = alerting

    def burst():
        answers = at_once(5, lambda _: host.invoke("reports", {"do": "sleep", "ms": 500}))
        assert sorted(answer.status for answer in answers) == [200, 200, 429, 429, 429]

    fired = fires_and_resolves(receiver, burst, alertname="LambdaThrottled", function="reports", reason=RESERVED)
    assert fired["labels"] == {
        "alertname": "LambdaThrottled", "function": "reports", "reason": RESERVED, "severity": "warning",
        "job": "kelvin", "instance": host.agent}
    assert fired["annotations"]["description"].startswith("reports refused ")
    assert fired["annotations"]["runbook_url"] == "https://runbooks.example/kelvin/throttling.md#lambdathrottled"


def test_a_504_fires_and_resolves(alerting):
    host, _, receiver = alerting

    def timeout():
        assert host.url("slow", "/?do=sleep&ms=20000").status == 504

    fired = fires_and_resolves(receiver, timeout, alertname="LambdaTimeouts", function="slow", source="platform")
    assert fired["labels"]["severity"] == "warning"
    assert fired["annotations"]["description"].endswith("The source of the timeout: platform.")


def test_nothing_fires_that_has_no_cause(alerting):
    """Of a burst over the reserve and of a timeout: what they are, that the reserve and the timeout were reached, new instances."""
    _, _, receiver = alerting
    expected = {
        "LambdaThrottled", "LambdaThrottledOften", "LambdaConcurrencyNearReserved", "LambdaTimeouts",
        "LambdaDurationNearTimeout"}
    assert {alert["labels"]["alertname"] for alert in receiver.told("firing")} <= expected


def test_every_rule_can_be_evaluated(alerting):
    _, prometheus, _ = alerting
    rules = prometheus.rules()
    assert len(rules) > 40
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] not in ("ok", "unknown")] == []
