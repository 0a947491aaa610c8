"""The story of a serverless backend, step by step: what its limits are, what is ready before a request, what waits, and
what is told of it."""
import json
import re
import time

import pytest

from bursts import at_once
from kelvin_host import ORDERS, ORDERS_FOLDER, poll, python_function

pytestmark = pytest.mark.both

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"


@pytest.fixture(scope="module")
def host(hosts):
    return hosts({
        # Its memory stands in its code as well; it gives up at its timeout and may serve the next request meanwhile.
        "orders": {
            "command": ORDERS, "directory": ORDERS_FOLDER, "memory": "0.5GB", "timeout": "2s", "onTimeout": "continue"},
        "reports": python_function(),
    }, window="10s").start()


@pytest.fixture(scope="module")
def boto(host, client):
    return client(host)


def kelvin(host, *arguments):
    """A command that changes or shows something; its output."""
    answer = host.run(*arguments)
    assert answer.returncode == 0, (arguments, answer.stdout, answer.stderr)
    return answer.stdout


def status_line(host, function):
    text = kelvin(host, "status")
    return next(line for line in text.splitlines() if line.startswith(function))


def instances(host, function):
    """What its instances do now, by the agent."""
    document = json.loads(host.run("status", "--output", "json").stdout)
    return next(entry for entry in document["functions"] if entry["function"] == function)["instances"]


def provisioned(boto, function="orders", qualifier="current"):
    return boto.get_provisioned_concurrency_config(FunctionName=function, Qualifier=qualifier)


def test_the_default_memory_is_128_megabytes(host, boto):
    assert boto.get_function_configuration(FunctionName="reports")["MemorySize"] == 128
    assert host.invoke("reports", {}).json()["memory"] in (128, "128")
    assert host.metrics()("lambda_memory_limit_bytes", function="reports") == 128 * 2**20
    assert "128 MB" in status_line(host, "reports")


def test_memory_in_gigabytes(host, boto):
    assert boto.get_function_configuration(FunctionName="orders")["MemorySize"] == 512
    assert host.metrics()("lambda_memory_limit_bytes", function="orders") == 512 * 2**20
    assert "512 MB" in status_line(host, "orders")


def test_temporary_files_have_512_megabytes(host, boto):
    for function in ("orders", "reports"):
        assert boto.get_function_configuration(FunctionName=function)["EphemeralStorage"] == {"Size": 512}
        assert host.metrics()("lambda_temporary_storage_limit_bytes", function=function) == 512 * 2**20


def test_two_requests_at_once_are_two_instances(host):
    before = host.metrics()("lambda_initializations_total", function="orders", initialization_type="on-demand")
    answers = at_once(2, lambda _: host.url("orders", "/slow?ms=700"))
    assert [answer.status for answer in answers] == [200, 200]
    assert [answer.headers["X-Kelvin-Cold"] for answer in answers] == ["1", "1"]
    metrics = host.metrics()
    assert metrics("lambda_initializations_total", function="orders", initialization_type="on-demand") == before + 2
    assert metrics("lambda_cold_starts_total", function="orders") == 2
    # And one after the other, one is enough.
    for _ in range(3):
        assert host.url("orders").headers["X-Kelvin-Cold"] == "0"


def test_reserved_50_is_floor_and_ceiling(host, boto):
    kelvin(host, "reserved", "50", "--function", "orders")
    assert boto.get_function_concurrency(FunctionName="orders")["ReservedConcurrentExecutions"] == 50
    assert boto.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 950
    poll(lambda: host.metrics().get("lambda_reserved_concurrency", function="orders") == 50, 20, "the agent knows")
    assert re.search(r"\b50\b", status_line(host, "orders"))


def test_reserved_0_pauses(host, boto):
    kelvin(host, "reserved", "0", "--function", "orders")
    refused = host.url("orders")
    assert (refused.status, refused.json()["Reason"]) == (429, RESERVED)
    with pytest.raises(boto.exceptions.TooManyRequestsException) as refusal:
        boto.invoke(FunctionName="orders")
    assert refusal.value.response["Reason"] == RESERVED
    assert host.invoke("reports", {}).status == 200, "the others do not notice"
    assert host.metrics()("lambda_throttles_total", function="orders", reason=RESERVED) == 2


def test_reserved_off(host, boto):
    kelvin(host, "reserved", "off", "--function", "orders")
    assert "ReservedConcurrentExecutions" not in boto.get_function_concurrency(FunctionName="orders")
    assert host.url("orders").status == 200
    assert "no reserve" in status_line(host, "orders")
    poll(lambda: host.metrics().get("lambda_reserved_concurrency", function="orders") is None, 20, "the agent knows")


def test_provisioned_5_means_five_warm_instances_and_five_requests_that_are_not_cold(host, boto):
    before = host.metrics()
    kelvin(host, "provisioned", "5", "--function", "orders")
    poll(lambda: provisioned(boto)["Status"] == "READY", 30, "the pool is full")
    state = provisioned(boto)
    assert [state[f"{name}ProvisionedConcurrentExecutions"] for name in ("Requested", "Allocated", "Available")] == [5] * 3
    poll(
        lambda: host.metrics().get("lambda_provisioned_concurrency", function="orders", state="available") == 5, 20,
        "the agent knows")
    metrics = host.metrics()
    assert metrics("lambda_initializations_total", function="orders", initialization_type="provisioned-concurrency") == 5
    # Warm-up was over before there was a request.
    warm = "lambda_warmup_duration_seconds_count"
    assert metrics(warm, function="orders") == before(warm, function="orders") + 5
    assert metrics("lambda_provisioned_invocations_total", function="orders") == 0
    assert instances(host, "orders")["idle"] >= 5
    assert "5/5/5" in status_line(host, "orders").replace(" ", "")

    # In a window of its own, so that its peaks are of these requests.
    window = time.time() // host.window_seconds
    poll(lambda: time.time() // host.window_seconds > window, 2 * host.window_seconds, "the next window begins")
    answers = at_once(5, lambda _: host.url("orders", "/slow?ms=700"))
    assert [answer.status for answer in answers] == [200] * 5
    assert [answer.headers["X-Kelvin-Cold"] for answer in answers] == ["0"] * 5
    handed = [int(answer.headers["X-Kelvin-Handover"]) - int(answer.headers["X-Kelvin-Start"]) for answer in answers]
    assert max(handed) == 0, "nobody waited"
    after = host.metrics()
    assert after("lambda_provisioned_invocations_total", function="orders") == 5
    assert after("lambda_provisioned_spillover_invocations_total", function="orders") == 0
    cold = "lambda_cold_starts_total"
    assert after(cold, function="orders") == before(cold, function="orders")
    shown = host.wait_for_closed(int(answers[0].headers["X-Kelvin-Start"]))
    assert shown("lambda_provisioned_concurrency_utilization_max", function="orders") == 1
    assert shown("lambda_account_unreserved_concurrent_executions_max") == 0
    assert shown("lambda_account_claimed_concurrency_max") == 5
    # Who asks for the latest version asks for none of them.
    assert boto.invoke(FunctionName="orders")["ExecutedVersion"] == "$LATEST"
    assert host.metrics()("lambda_provisioned_invocations_total", function="orders") == 5


def test_more_than_provisioned_spills_over(host):
    before = host.metrics()
    answers = at_once(7, lambda _: host.url("orders", "/slow?ms=900"))
    assert [answer.status for answer in answers] == [200] * 7
    after = host.metrics()
    for name, count in (("invocations", 5), ("spillover_invocations", 2)):
        total = f"lambda_provisioned_{name}_total"
        assert after(total, function="orders") == before(total, function="orders") + count


def test_provisioned_0(host, boto):
    kelvin(host, "provisioned", "0", "--function", "orders")
    with pytest.raises(boto.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        provisioned(boto)
    stops = "lambda_instance_stops_total"
    poll(lambda: host.metrics()(stops, function="orders", reason="scale-in") == 5, 20, "all five are ended")
    poll(
        lambda: host.metrics().get("lambda_provisioned_concurrency", function="orders", state="requested") is None, 20,
        "the agent knows")
    assert "none" in status_line(host, "orders")
    assert host.url("orders").status == 200


def test_a_timeout_is_a_504_while_its_instance_serves_the_next_request(host, boto):
    # One instance, so that it is the same one that serves next.
    kelvin(host, "reserved", "1", "--function", "orders")
    before = host.metrics()
    late = host.url("orders", "/stuck?ms=5000")
    assert late.status == 504
    following = host.url("orders")
    assert (following.status, following.headers["X-Kelvin-Cold"]) == (200, "0")
    running = host.metrics()
    assert running("lambda_overlapping_executions", function="orders") == 1
    assert running.total("lambda_timeouts_total", function="orders") == before.total(
        "lambda_timeouts_total", function="orders") + 1
    stopped = "lambda_instance_stops_total"
    assert running.total(stopped, function="orders") == before.total(stopped, function="orders")
    poll(lambda: host.metrics()("lambda_overlapping_executions", function="orders") == 0, 30, "the old handler stops")
    # It saw that it was told to abort: it says so itself.
    said = f"{late.headers['x-amzn-RequestId']}: nobody waits for this any more"
    poll(lambda: said in kelvin(host, "logs", "orders"), 20, lambda: kelvin(host, "logs", "orders"))


def test_metrics_lambda_tells_all_of_it(host):
    answer = kelvin(
        host, "metrics", "lambda", "--function", "orders", "--range", "30m", "--resolution", "10s", "--output", "json")
    windows = json.loads(answer)["windows"]
    metrics = host.metrics()

    def total(member):
        return sum(window[member] for window in windows)

    assert total("invocations") == metrics.total("lambda_invocations_total", function="orders")
    assert total("throttles") == 2 == metrics.total("lambda_throttles_total", function="orders")
    assert total("timeouts") == 1
    assert total("coldStarts") == metrics("lambda_cold_starts_total", function="orders")
    assert total("provisionedInvocations") == 10
    assert total("spillover") == 2
    assert max(window["concurrencyMax"] for window in windows) == 7
    assert max(window["overlappingMax"] for window in windows) == 1
    table = kelvin(host, "metrics", "lambda", "--function", "orders", "--range", "30m")
    assert "Cold starts" in table and "504s" in table
