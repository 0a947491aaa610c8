"""What callers send: the Invoke API in its three forms, what it refuses, and function URLs."""
import base64
import http.client
import json
import threading

import botocore.exceptions
import pytest

from kelvin_host import poll, python_function, request


@pytest.fixture(scope="module")
def host(hosts):
    return hosts({
        "reports": python_function(timeout="2s"),
        "busy": python_function(timeout="20s", reserved=1),
    }).start()


@pytest.fixture(scope="module")
def boto(host, client):
    return client(host)


def refused(call):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call()
    return caught.value.response


# The Invoke API


def test_by_arn_and_qualifier(boto):
    for name in ("reports", "reports:$LATEST", "arn:aws:lambda:eu-central-1:000000000000:function:reports"):
        answer = boto.invoke(FunctionName=name)
        assert json.loads(answer["Payload"].read())["did"] == "ok", name


def test_client_context_and_payloads_of_any_json(boto):
    context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    for event in ({"do": "event", "text": "\u00fc \u2603 \U0001f600", "list": [1.5, None, True]},):
        answer = boto.invoke(FunctionName="reports", Payload=json.dumps(event), ClientContext=context)
        assert json.loads(answer["Payload"].read()) == event


def test_event_is_accepted_at_once_and_runs_later(host, boto):
    before = host.metrics().total("lambda_invocations_total", function="reports")
    answer = boto.invoke(FunctionName="reports", InvocationType="Event", Payload=b'{"do": "ok"}')
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    poll(
        lambda: host.metrics()("lambda_invocations_total", function="reports", trigger="direct") == before + 1, 15,
        "the event ran")


def test_dry_run_runs_nothing(host, boto):
    before = host.metrics().total("lambda_invocations_total", function="reports")
    answer = boto.invoke(FunctionName="reports", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert host.metrics().total("lambda_invocations_total", function="reports") == before


def test_an_unknown_function(boto):
    response = refused(lambda: boto.invoke(FunctionName="nobody"))
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert response["Error"]["Code"] == "ResourceNotFoundException"
    assert response["Error"]["Message"].startswith("Function not found: arn:aws:lambda:")
    assert response["Error"]["Message"].endswith(":function:nobody:$LATEST")
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.invoke(FunctionName="reports:7")


def test_a_body_of_7_megabytes(boto):
    body = json.dumps({"text": "x" * 7_000_000})
    response = refused(lambda: boto.invoke(FunctionName="reports", Payload=body))
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert response["Error"]["Code"] == "RequestTooLargeException"
    with pytest.raises(boto.exceptions.RequestTooLargeException):
        boto.invoke(FunctionName="reports", Payload=json.dumps({"x": "x" * 2_000_000}), InvocationType="Event")


def test_a_body_just_under_the_limit(boto):
    body = json.dumps({"do": "ok", "text": "x" * 6_000_000})
    assert boto.invoke(FunctionName="reports", Payload=body)["StatusCode"] == 200


@pytest.mark.parametrize("body", [b'{"a": 1', b"not json", b"{'a': 1}", b'{"a": 1}}', b"\xff\xfe", b'{"a":01}'])
def test_malformed_json(boto, body):
    response = refused(lambda: boto.invoke(FunctionName="reports", Payload=body))
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "InvalidRequestContentException"
    assert response["Error"]["Message"].startswith("Could not parse request body into json")


def test_what_was_refused_is_no_invocation(host):
    windows = host.windows("reports")
    assert windows.total("errors") == 0
    assert windows.total("throttles") == 0
    # The same refusals, and then the count of invocations is as before.
    before = host.metrics().total("lambda_invocations_total", function="reports")
    assert host.invoke("nobody", {}).status == 404
    path = "/2015-03-31/functions/reports/invocations"
    assert request(host.host, "POST", path, b"{").status == 400
    assert request(host.host, "POST", path, b"{}", {"X-Amz-Invocation-Type": "Later"}).status == 400
    assert host.metrics().total("lambda_invocations_total", function="reports") == before
    assert host.metrics().get("lambda_function_info", function="nobody") is None


def test_the_command_that_invokes(host):
    here = f"http://{host.host}"
    answer = host.run("invoke", "reports", '{"do": "event", "a": [1]}', "--host-url", here)
    assert (answer.returncode, json.loads(answer.stdout)) == (0, {"do": "event", "a": [1]}), answer.stderr
    failed = host.run("invoke", "reports", '{"do": "error"}', "--host-url", here)
    assert failed.returncode == 1
    assert failed.stdout == "" and '"errorType": "ReportError"' in failed.stderr
    missing = host.run("invoke", "nobody", "--host-url", here)
    assert (missing.returncode, missing.stdout) == (64, "")
    assert missing.stderr.startswith(f"kelvin: There is no function nobody at {here}.")


# Function URLs


def event_of(host, path, **options):
    answer = host.url("reports", path, **options)
    assert answer.status == 200, answer
    return answer.json()


def test_get_with_query_and_cookies(host):
    event = event_of(
        host, "/a/b%20c?do=event&x=1&x=2&empty=&y=%C3%BC",
        headers={"Cookie": "session=abc; theme=dark", "X-Custom": "yes", "Accept": "*/*"})
    assert event["version"] == "2.0"
    assert event["routeKey"] == "$default"
    assert event["rawPath"] == "/a/b%20c"
    assert event["rawQueryString"] == "do=event&x=1&x=2&empty=&y=%C3%BC"
    assert event["queryStringParameters"] == {"do": "event", "x": "1,2", "empty": "", "y": "\u00fc"}
    assert event["cookies"] == ["session=abc", "theme=dark"]
    assert event["headers"]["x-custom"] == "yes"
    assert "cookie" not in event["headers"]
    http = event["requestContext"]["http"]
    assert (http["method"], http["sourceIp"], http["protocol"]) == ("GET", "127.0.0.1", "HTTP/1.1")
    assert event["isBase64Encoded"] is False
    assert "body" not in event


def test_post_with_text_and_binary(host):
    text = event_of(
        host, "/?do=event", method="POST", body='{"a": "\u00fc"}'.encode(), headers={"Content-Type": "application/json"})
    assert (text["body"], text["isBase64Encoded"]) == ('{"a": "\u00fc"}', False)
    binary = bytes(range(256))
    event = event_of(
        host, "/?do=event", method="POST", body=binary, headers={"Content-Type": "application/octet-stream"})
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == binary
    assert event["headers"]["content-type"] == "application/octet-stream"


def test_the_answer_of_payload_format_2(host):
    binary = bytes(range(256))
    answer = host.url(
        "reports", "/?do=echo&status=201", "PUT", binary, {"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.body) == (201, binary)
    assert answer.headers["X-Kind"] == "echo"
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2"]
    # A status of the function's own is an answer, not an error.
    assert host.url("reports", "/?do=echo&status=404").status == 404
    plain = host.url("reports", "/")
    assert (plain.status, plain.headers["Content-Type"]) == (200, "application/json")
    assert plain.json()["did"] == "ok"


def test_by_host_name(host):
    answer = request(host.host, "GET", "/p?do=event", headers={"Host": "reports.localhost"})
    assert (answer.status, answer.json()["rawPath"]) == (200, "/p")


def test_by_host_name_in_any_case(host):
    for name in ("REPORTS.localhost:1", "reports.localhost.", "Reports.LOCALHOST.:80"):
        answer = request(host.host, "GET", "/p?do=event", headers={"Host": name})
        assert (answer.status, answer.json()["requestContext"]["apiId"]) == (200, "reports"), name


def test_what_the_front_says_cannot_be_forged(host):
    event = event_of(host, "/?do=event", headers={
        "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443", "X-Forwarded-For": "10.9.8.7",
        "X-Amzn-Trace-Id": "garbage"})
    headers = event["headers"]
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == host.host.split(":")[1]
    assert headers["x-forwarded-for"] == "10.9.8.7, 127.0.0.1"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert event["requestContext"]["domainName"] == "127.0.0.1"


@pytest.mark.parametrize("query", ["utm_term=%%URL%%", "%E9", "a=100%", "a=%ZZ", "=x&&a;b=1"])
def test_any_query_is_handed_on_as_sent(host, query):
    connection = http.client.HTTPConnection(host.host, timeout=60)
    connection.putrequest("GET", f"/url/reports/100%/%E9?do=event&{query}")
    connection.endheaders()
    reply = connection.getresponse()
    event = json.loads(reply.read())
    connection.close()
    assert (reply.status, event["rawQueryString"]) == (200, f"do=event&{query}")
    assert event["rawPath"] == "/100%/%E9"


def test_errors_timeouts_and_throttles(host):
    before = host.metrics()
    answers = {what: host.url("reports", f"/?do={what}") for what in ("error", "exit", "loop")}
    assert {what: answer.status for what, answer in answers.items()} == {"error": 502, "exit": 502, "loop": 504}
    assert answers["error"].body == b"Internal Server Error"
    for answer in answers.values():
        assert "there is nothing to report" not in answer.body.decode(), "what went wrong is not for strangers"
    held = held_request(host)
    throttled = host.url("busy")
    assert throttled.status == 429
    assert throttled.headers["Retry-After"] == "1"
    held.join()
    after = host.metrics()
    label = {"function": "reports"}

    def grown(name, **labels):
        return after.total(name, **labels, **label) - before.total(name, **labels, **label)

    assert grown("lambda_invocations_total", trigger="http") == 3
    assert grown("lambda_errors_total") == 3
    assert grown("lambda_crashes_total") == 1
    assert grown("lambda_timeouts_total", source="platform") == 1
    assert after.total("lambda_throttles_total", function="busy") == 1
    assert host.url("nobody").status == 404


def held_request(host):
    """Holds the only slot of `busy`."""
    thread = threading.Thread(target=host.url, args=("busy", "/?do=sleep&ms=2500"))
    thread.start()
    poll(lambda: host.metrics()("lambda_concurrent_executions", function="busy") == 1, 10, "the slot is held")
    return thread


# The agent


def test_what_the_agent_answers(host):
    assert request(host.agent, "GET", "/-/healthy").status == 200
    assert request(host.agent, "GET", "/").status == 200
    assert request(host.agent, "GET", "/nothing").status == 404
    assert request(host.agent, "POST", "/metrics").status == 405
    metrics = request(host.agent, "GET", "/metrics")
    assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    for query in ("range=never", "resolution=3s", "nonsense=1", "function="):
        answer = request(host.agent, "GET", f"/api/v1/windows?{query}")
        assert answer.status == 400, query
        assert query.split("=")[0] in answer.json()["error"]["message"]
    assert request(host.agent, "GET", "/api/v1/windows?function=nobody").status == 404
    host.invoke("reports", {})
    instances = request(host.agent, "GET", "/api/v1/instances").json()["instances"]
    assert {instance["function"] for instance in instances} <= {"reports", "busy"}
    assert any(instance["function"] == "reports" and instance["state"] == "idle" for instance in instances)
    status = request(host.agent, "GET", "/api/v1/status").json()
    assert {function["function"] for function in status["functions"]} == {"reports", "busy"}


def test_the_tables_for_people(host):
    here = f"http://{host.agent}"
    status = host.run("status", "--agent", here)
    assert status.returncode == 0, status.stderr
    assert "reports" in status.stdout and "busy" in status.stdout
    table = host.run("metrics", "lambda", "--agent", here)
    assert table.returncode == 0, table.stderr
    for column in ("Timestamp", "Invocations", "Throttled", "Errors", "504s", "Cold starts", "p95"):
        assert column in table.stdout
    assert "\x1b" not in table.stdout, "no colours where nobody sees them"
    comma = host.run("metrics", "lambda", "--agent", here, "--output", "csv")
    assert comma.returncode == 0 and "," in comma.stdout.splitlines()[0]
