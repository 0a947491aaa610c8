"""The example functions in Swift and in Node: warm-up, abort, overlapping executions, and how to end."""
import subprocess

import pytest

from bursts import at_once
from kelvin_host import NANOSECONDS, ORDERS, ORDERS_FILE, ORDERS_FOLDER, node_function, poll


@pytest.fixture(scope="module")
def host(hosts):
    orders = {"command": ORDERS, "directory": ORDERS_FOLDER}
    return hosts({
        # Its memory, 0.5GB, is in its code; the timeout here wins over the 10 s there.
        "orders": {**orders, "timeout": "1s", "onTimeout": "continue", "reserved": 5},
        "stuck": {**orders, "timeout": "1s", "onTimeout": "continue", "reserved": 1},
        "thumbnails": node_function(timeout="2s"),
    }).start()


def test_the_swift_example_is_one_static_file():
    described = subprocess.run(["ldd", str(ORDERS_FILE)], capture_output=True, text=True, check=False)
    assert "not a dynamic executable" in described.stdout + described.stderr or "statically linked" in described.stdout


def test_warm_up_is_over_before_the_first_request(host):
    answer = host.url("orders", "/?item=pear")
    assert (answer.status, answer.json()["cents"]) == (200, 55), answer
    assert answer.json()["initializationType"] == "on-demand"
    metrics = host.metrics()
    assert metrics("lambda_warmup_duration_seconds_count", function="orders") == 1
    assert metrics("lambda_warmup_duration_seconds_sum", function="orders") >= 0.06
    assert metrics("lambda_warmup_failures_total", function="orders") == 0
    # The warm-up is a part of the initialization.
    assert metrics("lambda_initialization_duration_seconds_sum", function="orders") >= metrics(
        "lambda_warmup_duration_seconds_sum", function="orders")
    # What is configured in code is known once an instance said it; the file wins.
    assert metrics("lambda_memory_limit_bytes", function="orders") == 512 * 2**20
    assert metrics("lambda_timeout_seconds", function="orders") == 1
    wait = int(answer.headers["X-Kelvin-Handover"]) - int(answer.headers["X-Kelvin-Start"])
    assert wait >= 60_000_000
    warm = host.url("orders")
    assert (warm.status, warm.headers["X-Kelvin-Cold"]) == (200, "0")


def test_each_instance_warms_up_once(host):
    before = host.metrics()("lambda_initializations_total", function="orders", initialization_type="on-demand")
    answers = at_once(3, lambda _: host.url("orders", "/slow?ms=400"))
    assert [answer.status for answer in answers] == [200] * 3
    metrics = host.metrics()
    after = metrics("lambda_initializations_total", function="orders", initialization_type="on-demand")
    assert after > before or before >= 3
    assert metrics("lambda_warmup_duration_seconds_count", function="orders") == after


def test_the_handlers_own_timeout(host):
    """The caller has its 504 at the deadline, the task is cancelled, and the same instance serves the next request."""
    before = host.metrics()
    answer = host.url("stuck", "/slow?ms=20000")
    assert answer.status == 504
    length = int(answer.headers["X-Kelvin-End"]) - int(answer.headers["X-Kelvin-Handover"])
    assert 0.9 * NANOSECONDS <= length <= 1.5 * NANOSECONDS
    assert host.url("stuck").status == 200
    after = host.metrics()
    assert after("lambda_timeouts_total", function="stuck", source="handler") == 1
    assert after("lambda_timeouts_total", function="stuck", source="platform") == 0
    assert after.total("lambda_initializations_total", function="stuck") == 1, "the instance was not ended"
    assert after("lambda_errors_total", function="stuck") == 1
    assert before.total("lambda_invocations_total", function="stuck") == 0
    # As an invocation the same is an error of the function, with a document.
    invoked = host.invoke("stuck:current", {
        "version": "2.0", "rawPath": "/slow", "rawQueryString": "ms=20000",
        "queryStringParameters": {"ms": "20000"}, "requestContext": {"http": {"method": "GET", "path": "/slow"}}})
    assert (invoked.status, invoked.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert invoked.json()["errorType"] == "Function.HandlerTimeout", invoked


def test_an_overlapping_execution_is_counted(host):
    """A handler that heeds no cancellation runs on, while its instance serves the next request."""
    assert host.url("stuck", "/stuck?ms=4000").status == 504
    assert host.url("stuck").status == 200, "meanwhile"
    assert host.metrics()("lambda_overlapping_executions", function="stuck") == 1
    # One request after the other: overlapping ones are beside the concurrency, which is what callers wait for.
    assert host.windows("stuck").largest("concurrencyMax") == 1
    poll(
        lambda: host.metrics()("lambda_overlapping_executions", function="stuck") == 0, 15, "it stopped at last")
    windows = host.windows("stuck")
    assert windows.largest("overlappingMax") == 1
    assert windows.largest("instancesMax") == 1
    assert host.metrics().total("lambda_initializations_total", function="stuck") == 1
    assert host.url("stuck").status == 200


def test_errors_and_crashes_in_swift(host):
    before = host.metrics()
    assert host.url("orders", "/error").status == 502
    assert host.url("orders", "/nothing").status == 404
    assert host.url("orders", "/crash").status == 502
    assert host.url("orders").status == 200
    after = host.metrics()
    for name, count in (("lambda_errors_total", 2), ("lambda_crashes_total", 1)):
        assert after(name, function="orders") - before(name, function="orders") == count


def test_node(host):
    answer = host.invoke("thumbnails", {"picture": "pear.jpg", "ms": 10})
    assert (answer.status, answer.json()["picture"]) == (200, "pear.jpg")
    assert answer.headers["X-Kelvin-Cold"] == "1"
    assert answer.json()["requestId"] == answer.headers["x-amzn-RequestId"]
    failed = host.invoke("thumbnails", {"fail": 7})
    assert (failed.status, failed.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert failed.json()["errorType"] == "RangeError"
    assert failed.json()["errorMessage"] == "no picture is 7 pixels wide"
    assert host.url("thumbnails", "/?x=1").json()["width"] == 128
    late = host.invoke("thumbnails", {"ms": 60_000})
    assert late.json()["errorType"] == "Sandbox.Timedout"
    windows = host.windows("thumbnails")
    assert windows.total("invocations") == 4
    assert windows.total("errors") == 2
    assert windows.total("crashes") == 0
    assert windows.counts("timeoutsBySource") == {"platform": 1}
