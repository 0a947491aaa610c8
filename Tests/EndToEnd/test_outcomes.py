"""A Python function under awslambdaric, unchanged: each way to end, what the caller is given, and what is counted."""
import base64
import json

import pytest

from kelvin_host import poll, python_function

pytestmark = pytest.mark.both


@pytest.fixture(scope="module")
def story(hosts, client):
    """One host on which each outcome happened, one after the other; the answers by name."""
    host = hosts({"reports": python_function(memory="256MB", timeout="2s", environment={"TABLE": "orders"})}).start()
    boto = client(host)
    events = {
        "cold": {}, "warm": {}, "error": {"do": "error"}, "after error": {}, "exit": {"do": "exit"},
        "after exit": {}, "loop": {"do": "loop"}, "after loop": {}, "clean exit": {"do": "exit", "status": 0},
        "killed": {"do": "kill"}, "nothing": {"do": "nothing"}, "environment": {"do": "environment"},
        "large": {"do": "large", "bytes": 6_300_000},
    }
    answers = {}
    for name, event in events.items():
        answer = boto.invoke(FunctionName="reports", Payload=json.dumps(event), LogType="Tail")
        answer["document"] = json.loads(answer["Payload"].read())
        answer["fields"] = answer["ResponseMetadata"]["HTTPHeaders"]
        answer["id"] = answer["ResponseMetadata"]["RequestId"]
        answers[name] = answer
    return host, answers


def times(answer):
    return [int(answer["fields"][f"x-kelvin-{name}"]) for name in ("start", "handover", "end")]


def test_success(story):
    _, answers = story
    cold, warm = answers["cold"], answers["warm"]
    for answer in (cold, warm):
        assert answer["StatusCode"] == 200
        assert "FunctionError" not in answer
        assert answer["ExecutedVersion"] == "$LATEST"
        assert answer["document"]["requestId"] == answer["id"]
        assert answer["document"]["name"] == "reports"
        assert answer["document"]["memory"] in (256, "256")
        assert answer["document"]["arn"].endswith(":function:reports")
        assert 0 < answer["document"]["remaining"] <= 2000
    assert cold["document"]["instance"] == warm["document"]["instance"], "the instance is used again"
    assert (cold["fields"]["x-kelvin-cold"], warm["fields"]["x-kelvin-cold"]) == ("1", "0")
    start, handover, end = times(cold)
    assert start < handover < end
    assert answers["nothing"]["document"] is None


def test_exception(story):
    _, answers = story
    answer = answers["error"]
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    document = answer["document"]
    assert document["errorType"] == "ReportError"
    assert document["errorMessage"] == "there is nothing to report"
    assert document["requestId"] == answer["id"]
    assert any("app.py" in line for line in document["stackTrace"])
    # An exception does not end the instance.
    assert answers["after error"]["document"]["instance"] == answers["warm"]["document"]["instance"]


def test_exit(story):
    _, answers = story
    for name, sentence in {
        "exit": "Runtime exited with error: exit status 3",
        "clean exit": "Runtime exited without providing a reason",
        "killed": "Runtime exited with error: signal: killed",
    }.items():
        answer = answers[name]
        assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled"), name
        assert answer["document"] == {
            "errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {answer['id']} Error: {sentence}"}
    assert answers["after exit"]["document"]["instance"] == answers["warm"]["document"]["instance"]
    assert answers["after exit"]["fields"]["x-kelvin-cold"] == "1"


def test_endless_loop(story):
    _, answers = story
    answer = answers["loop"]
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert answer["document"] == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {answer['id']} Error: Task timed out after 2.00 seconds"}
    _, handover, end = times(answer)
    assert 2_000_000_000 <= end - handover < 2_500_000_000
    assert answers["after loop"]["document"]["instance"] == answers["after exit"]["document"]["instance"]


def test_an_answer_over_the_limit(story):
    _, answers = story
    answer = answers["large"]
    assert answer["FunctionError"] == "Unhandled"
    assert answer["document"]["errorType"] == "Function.ResponseSizeTooLarge"
    # An error and no crash; awslambdaric ends all the same, because its answer was refused (see the stops below).


def test_the_environment_of_an_instance(story):
    _, answers = story
    environment = answers["environment"]["document"]
    assert environment["TABLE"] == "orders"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "reports"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert environment["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert environment["AWS_LAMBDA_RUNTIME_API"].startswith("127.")
    # What the host was started with is not the function's business.
    assert "KELVIN_BUILD" not in environment and "PYTEST_CURRENT_TEST" not in environment


def test_the_log_of_an_invocation(story):
    _, answers = story
    log = base64.b64decode(answers["error"]["LogResult"]).decode()
    assert f"START RequestId: {answers['error']['id']}" in log
    assert "there is nothing to report" in log
    assert "REPORT RequestId:" in log


# 13 invocations; an exit of any kind and a timeout end the instance, so 5 of them are cold.
COUNTS = {
    "invocations": 13, "errors": 6, "timeouts": 1, "crashes": 3, "coldStarts": 5, "initializations": 5, "throttles": 0,
    "outOfMemory": 0, "initializationFailures": 0, "warmupFailures": 0, "spillover": 0,
}


def test_the_numbers_of_the_windows(story):
    host, answers = story
    for windows in (host.windows("reports"), host.windows()):
        assert {name: windows.total(name) for name in COUNTS} == COUNTS
        assert windows.counts("timeoutsBySource") == {"platform": 1}
        assert windows.counts("initializationsByType") == {"on-demand": 5}
        assert windows.counts("invocationsByTrigger") == {"direct": 13}
        assert windows.largest("concurrencyMax") == 1
        assert windows.largest("instancesMax") == 1
        durations = [window["duration"] for window in windows.list if window["duration"]["count"]]
        assert sum(duration["count"] for duration in durations) == 13
        total = sum(end - handover for _, handover, end in map(times, answers.values()))
        assert sum(duration["sum"] for duration in durations) * 10**9 == total
        assert sum(window["initialization"]["count"] for window in windows.list) == 5


def test_the_numbers_of_the_metrics(story):
    host, _ = story
    function = {"function": "reports"}
    # An instance is gone a moment after its last answer.
    poll(
        lambda: host.metrics()("lambda_instance_stops_total", reason="failure", **function) == 4, 20,
        "every failed instance is gone")
    metrics = host.metrics()
    assert metrics("lambda_invocations_total", trigger="direct", **function) == 13
    assert metrics("lambda_errors_total", **function) == 6
    assert metrics("lambda_timeouts_total", source="platform", **function) == 1
    assert metrics.total("lambda_timeouts_total", **function) == 1
    assert metrics("lambda_crashes_total", **function) == 3
    assert metrics("lambda_cold_starts_total", **function) == 5
    assert metrics("lambda_initializations_total", initialization_type="on-demand", **function) == 5
    assert metrics("lambda_out_of_memory_total", **function) == 0
    assert metrics("lambda_initialization_failures_total", **function) == 0
    assert metrics.total("lambda_throttles_total", **function) == 0
    assert metrics("lambda_invocation_duration_seconds_count", **function) == 13
    assert metrics("lambda_invocation_duration_seconds_bucket", le="+Inf", **function) == 13
    assert metrics("lambda_initialization_duration_seconds_count", **function) == 5
    assert metrics("lambda_instance_stops_total", reason="timeout", **function) == 1
    assert metrics("lambda_instance_stops_total", reason="failure", **function) == 4
    assert metrics("lambda_instances", state="idle", **function) == 0
    assert metrics("lambda_memory_limit_bytes", **function) == 256 * 2**20
    assert metrics("lambda_timeout_seconds", **function) == 2
