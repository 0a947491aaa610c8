"""Handlers that run over their time: who is told what, what becomes of the instance, and what is counted."""
import pytest

from kelvin_host import ORDERS, ORDERS_FOLDER, NANOSECONDS, poll, python_function


@pytest.fixture(scope="module")
def host(hosts):
    abortable = {"onTimeout": "continue", "abortSignal": "SIGUSR1", "timeout": "1s"}
    return hosts({
        "reports": python_function("abort.handler", **abortable),
        "stubborn": python_function("abort.handler", **abortable, abortLimit="500ms"),
        "restarted": python_function(
            "abort.handler", abortSignal="SIGUSR1", timeout="1s", abortLimit="20s", environment={}),
        "plain": python_function("abort.handler"),
        "orders": {"command": ORDERS, "directory": ORDERS_FOLDER, "timeout": "1s"},
    }).start()


def test_a_handler_in_python_is_told_to_abort_and_its_instance_goes_on(host):
    first = host.invoke("reports", {}).json()
    assert first["aborts"] == 0
    late = host.invoke("reports", {"do": "work"})
    assert (late.status, late.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert late.json() == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {late.headers['x-amzn-RequestId']} Error: Task timed out after 1.00 seconds"}
    second = host.invoke("reports", {}).json()
    assert (second["instance"], second["aborts"]) == (first["instance"], 1)
    metrics = host.metrics()
    assert metrics("lambda_timeouts_total", function="reports", source="platform") == 1
    assert metrics.total("lambda_instance_stops_total", function="reports") == 0
    assert metrics("lambda_overlapping_executions", function="reports") == 0


def test_a_handler_that_ignores_the_abort_is_ended(host):
    first = host.invoke("stubborn:current", {}).json()
    late = host.url("stubborn", "/?do=work&heed=")
    assert late.status == 504
    assert host.url("reports").status == 200, "nobody else waits for it"
    poll(
        lambda: host.metrics()("lambda_instance_stops_total", function="stubborn", reason="timeout") == 1, 20,
        "its instance is ended")
    after = host.invoke("stubborn:current", {}).json()
    assert (after["instance"], after["aborts"]) == (first["instance"], 0), "the same environment, another process"


def test_an_abort_before_a_restart(host):
    first = host.invoke("restarted:current", {}).json()
    assert host.url("restarted", "/?do=work").status == 504
    assert host.invoke("restarted:current", {}).json()["instance"] != first["instance"]
    # awslambdaric reports the exception, is told that its instance has ended, and ends.
    poll(
        lambda: host.metrics()("lambda_instance_stops_total", function="restarted", reason="timeout") == 1, 15,
        "its instance has ended")


def test_each_source_of_a_504(host):
    assert host.url("orders", "/slow?ms=20000").status == 504
    metrics = host.metrics()
    assert metrics("lambda_timeouts_total", function="orders", source="handler") == 1
    assert metrics("lambda_timeouts_total", function="stubborn", source="platform") == 1
    for source in ("init", "gateway"):
        assert metrics("lambda_timeouts_total", function="orders", source=source) == 0


def test_without_a_configured_timeout(host):
    """Five minutes, and ten seconds for those who wait for it over HTTP; the one number that is shown is the longer."""
    assert 290_000 < host.invoke("plain", {}).json()["remaining"] <= 300_000
    assert 5_000 < host.url("plain").json()["remaining"] <= 10_000
    assert host.metrics()("lambda_timeout_seconds", function="plain") == 300
    late = host.url("plain", "/?do=work")
    assert late.status == 504
    length = int(late.headers["X-Kelvin-End"]) - int(late.headers["X-Kelvin-Handover"])
    assert 10 * NANOSECONDS <= length < 12 * NANOSECONDS
