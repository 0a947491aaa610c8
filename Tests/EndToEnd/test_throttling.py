"""Reserved concurrency as a client of AWS sees it, and the same numbers in every exporter."""
import json

from bursts import at_once, storm
from kelvin_host import Windows, poll, python_function

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_five_at_once_with_two_reserved(hosts, client):
    host = hosts({"reports": python_function(reserved=2, timeout="20s")}).start()
    boto = client(host)
    host.wait_for_room(4)

    # boto3 makes the classes of its exceptions at their first use, which several threads must not do at once.
    refused = boto.exceptions.TooManyRequestsException

    def invoke(_):
        return boto.invoke(FunctionName="reports", Payload=json.dumps({"do": "sleep", "ms": 1500}))

    results = at_once(5, invoke)
    successes = [result for result in results if isinstance(result, dict)]
    refusals = [result for result in results if isinstance(result, refused)]
    assert (len(successes), len(refusals)) == (2, 3), results
    for refusal in refusals:
        assert refusal.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert refusal.response["Reason"] == RESERVED
        assert refusal.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
        assert refusal.response["ResponseMetadata"]["RetryAttempts"] == 0
    for success in successes:
        assert json.loads(success["Payload"].read())["did"] == "sleep"
    start = int(successes[0]["ResponseMetadata"]["HTTPHeaders"]["x-kelvin-start"])

    answer = host.run(
        "metrics", "lambda", "--function", "reports", "--range", "5m", "--resolution", "10s", "--output", "json",
        "--agent", f"http://{host.agent}")
    assert answer.returncode == 0, answer.stderr
    window = Windows(answer.stdout).at(start)
    assert window["function"] == "reports"
    assert (window["concurrencyMax"], window["throttles"], window["invocations"]) == (2, 3, 2)
    assert window["throttlesByReason"] == {RESERVED: 3}
    assert window["errors"] == 0, "throttles are not errors"
    account = host.windows().at(start)
    assert (account["concurrencyMax"], account["throttles"], account["invocations"]) == (2, 3, 2)

    metrics = host.wait_for_closed(start)
    assert metrics("lambda_concurrent_executions_max", function="reports") == 2
    assert metrics("lambda_account_concurrent_executions_max") == 2
    assert metrics("lambda_throttles_total", function="reports", reason=RESERVED) == 3
    assert metrics.total("lambda_throttles_total") == 3
    assert metrics("lambda_reserved_concurrency", function="reports") == 2
    assert metrics("lambda_invocations_total", function="reports", trigger="direct") == 2
    assert metrics.total("lambda_invocations_total") == 2
    assert metrics("lambda_concurrent_executions", function="reports") == 0


def test_a_thousand_at_once_with_five_reserved(hosts):
    host = hosts({"reports": python_function(reserved=5, timeout="60s")}, window="60s").start()
    warm = at_once(5, lambda _: host.invoke("reports", {"do": "sleep", "ms": 300}))
    assert [answer.status for answer in warm] == [200] * 5

    answers = storm(
        host.host, "/2015-03-31/functions/reports/invocations", b'{"do": "sleep", "ms": 8000}', count=1000, seconds=60)
    executed = [answer for answer in answers if answer[1] == 200]
    refused = [answer for answer in answers if answer[1] == 429]
    assert (len(executed), len(refused)) == (5, 995)
    assert all(json.loads(content)["did"] == "sleep" for _, _, _, content in executed)
    assert all(json.loads(content)["Reason"] == RESERVED for _, _, _, content in refused)
    # At once: none of them waited for an execution to end.
    assert max(answer[0] for answer in refused) < min(answer[0] for answer in executed)
    starts = [int(headers["x-kelvin-start"]) for _, _, headers, _ in refused]
    ends = [int(headers["x-kelvin-end"]) for _, _, headers, _ in executed]
    assert max(starts) < min(ends)

    windows = host.windows("reports")
    assert windows.total("throttles") == 995
    assert windows.total("invocations") == 10
    assert windows.largest("concurrencyMax") == 5
    assert windows.largest("instancesMax") == 5
    assert host.metrics()("lambda_throttles_total", function="reports", reason=RESERVED) == 995
    # And it goes on.
    assert host.invoke("reports", {}).status == 200


def test_the_account_limit_has_its_own_reason_and_reserved_zero_pauses(hosts):
    host = hosts(
        {"free": python_function(timeout="20s"), "paused": python_function(reserved=0)}, account=2).start()
    results = at_once(4, lambda _: host.invoke("free", {"do": "sleep", "ms": 1500}))
    assert sorted(answer.status for answer in results) == [200, 200, 429, 429]
    for answer in results:
        if answer.status == 429:
            assert answer.json() == {
                "Reason": "ConcurrentInvocationLimitExceeded", "Type": "User", "message": "Rate Exceeded."}
    paused = host.invoke("paused", {})
    assert (paused.status, paused.json()["Reason"]) == (429, RESERVED)
    assert host.url("paused").status == 429
    metrics = host.metrics()
    assert metrics("lambda_throttles_total", function="free", reason="ConcurrentInvocationLimitExceeded") == 2
    assert metrics("lambda_throttles_total", function="paused", reason=RESERVED) == 2
    assert metrics("lambda_account_concurrency_limit") == 2
    assert host.windows("paused").total("initializations") == 0
    poll(lambda: host.metrics()("lambda_account_concurrent_executions") == 0, 30, "nothing runs")
