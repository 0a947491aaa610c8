"""Kelvin's own runtimes for Node and Python: modules of each kind, config and warm-up, abort, streams, and modules that are wrong."""
import base64
import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from kelvin_host import FUNCTIONS, poll, request

FOLDER = str(FUNCTIONS / "runtimes")


def function(runtime, handler, **settings):
    return {"runtime": runtime, "handler": handler, "directory": FOLDER, **settings}


BAD = {
    "throws.mjs": 'throw new EvalError("at import");\n',
    "hangs.mjs": "export const handler = async () => {};\n"
                 "export const warmup = () => new Promise(() => { setInterval(() => {}, 1000); });\n",
    "wrong.mjs": "export const handler = 5;\nexport const other = () => 1;\n",
    "syntax.mjs": "export const handler = async () => {\n",
    "module.js": "export const handler = async () => {};\n",
    "memory.mjs": 'export const handler = async () => 1;\nexport const config = { memory: "12 stones" };\n',
    "unknown.mjs": "export const handler = async () => 1;\nexport const config = { memmory: 512 };\n",
    "warm.mjs": "export const handler = async () => 1;\nexport const warmup = 7;\n",
    "import.mjs": 'import "nothing-like-this";\nexport const handler = async () => 1;\n',
    "typed.mts": "const x: number = 5;\nexport const handler = async () => x;\n",
    "throws.py": 'raise EOFError("at import")\n',
    "hangs.py": "import time\n\n\ndef warmup():\n    time.sleep(60)\n\n\ndef handler(event, context):\n    return 1\n",
    "wrong.py": "handler = 5\n",
    "syntax.py": "def handler(event, context)\n    return 1\n",
    "missing.py": "import nothing_like_this\n",
    "config.py": 'config = {"timeout": "soon"}\n\n\ndef handler(event, context):\n    return 1\n',
}


@pytest.fixture(scope="module")
def host(hosts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    for name, text in BAD.items():
        (folder / name).write_text(text)
    functions = {
        "node": function("node", "story.handler", responseMode="stream"),
        "node-on": function("node", "story.handler", onTimeout="continue", timeout="500ms"),
        "plain": function("node", "plain.handler", timeout="2s"),
        "deep": function("node", "plain.deep.er.handler"),
        "module": function("node", "esm/index.handler"),
        "node-stream": function("node", "plain.stream", responseMode="stream", timeout="5s"),
        "python": function("python", "app.handler"),
        "python-on": function("python", "app.handler", onTimeout="continue", timeout="500ms"),
        "python-async": function("python", "app.asynchronous"),
        "inner": function("python", "package.inner.handler"),
        "python-stream": function("python", "app.stream", responseMode="stream"),
        "python-events": function("python", "app.events", responseMode="stream"),
    }
    for name in [*BAD, "absent.mjs", "absent.py"]:
        module, _, ending = name.partition(".")
        functions[name.replace(".", "-")] = function(
            "python" if ending == "py" else "node", f"{module}.handler", directory=str(folder), timeout="1s" if module == "hangs" else "20s")
    return hosts(functions).start()


@pytest.fixture(scope="module")
def boto(host, client):
    return client(host)


def invoke(boto, name, event=None, **options):
    """What the function answered, or its error document."""
    answer = boto.invoke(FunctionName=f"{name}:current", Payload=json.dumps(event or {}), **options)
    document = json.loads(answer["Payload"].read())
    if "LogResult" in answer:
        document = document, base64.b64decode(answer["LogResult"]).decode()
    return document


def error(boto, name, event=None):
    document = invoke(boto, name, event)
    return document["errorType"], document["errorMessage"]


@pytest.mark.parametrize("name", ["node", "python", "node-on", "python-on"])
def test_the_warm_up_is_over_before_the_first_request_and_its_exports_are_seen(boto, name):
    answer = invoke(boto, name)
    assert answer["opened"].startswith("warm")
    assert answer["aborted"] is False


def test_config_is_known_before_the_first_request_and_the_file_goes_before_it(host):
    def limits(name):
        status = host.metrics()
        return (status.get("lambda_memory_limit_bytes", function=name), status.get("lambda_timeout_seconds", function=name),
                status.get("lambda_reserved_concurrency", function=name))

    for name in ("node", "python"):
        poll(lambda name=name: limits(name) == (256 << 20, 2, 7), 10, lambda name=name: limits(name))
        poll(lambda name=name: limits(name + "-on") == (256 << 20, 0.5, 7), 10, lambda name=name: limits(name + "-on"))


@pytest.mark.parametrize("name", ["node", "python"])
def test_the_context_has_the_members_that_it_has_on_aws(boto, name):
    context = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    answer = invoke(boto, name, {"do": "context"}, ClientContext=context)
    assert answer["functionName"] == name
    assert (answer["functionVersion"], answer["memoryLimitInMB"]) == ("1", "256")
    assert answer["invokedFunctionArn"].endswith(f":function:{name}:current")
    assert answer["logGroupName"] == f"/aws/lambda/{name}" and answer["logStreamName"] and answer["awsRequestId"]
    assert 1000 < answer["left"] <= 2000
    assert answer["clientContext"] in ({"custom": {"a": "b"}}, {"a": "b"})


def test_errors_have_the_shape_that_they_have_on_aws(boto):
    document = invoke(boto, "node", {"do": "error"})
    assert (document["errorType"], document["errorMessage"]) == ("RangeError", "out of range")
    assert document["trace"][0] == "RangeError: out of range" and "story.mjs" in document["trace"][1]
    assert invoke(boto, "node", {"do": "text"}) == {"errorType": "string", "errorMessage": "a text", "trace": []}
    assert error(boto, "node", {"do": "reject"}) == ("Runtime.UnhandledPromiseRejection", "TypeError: nobody waits")
    assert error(boto, "plain", {"fail": 1}) == ("TypeError", "called back")
    assert error(boto, "plain", {"throw": 1}) == ("SyntaxError", "at once")
    document = invoke(boto, "python", {"do": "error"})
    assert (document["errorType"], document["errorMessage"]) == ("LookupError", "out of range")
    assert "app.py" in document["stackTrace"][0] and document["requestId"]
    assert error(boto, "python-async", {"do": "error"}) == ("LookupError", "asynchronous")
    assert error(boto, "python", {"do": "set"})[0] == "Runtime.MarshalError"
    for name in ("node", "python"):
        kind, message = error(boto, name, {"do": "exit"})
        assert kind == "Runtime.ExitError" and message.endswith("exit status 3")
        assert invoke(boto, name, {"do": "nothing"}) is None


def test_what_no_handler_should_do_costs_its_invocation_alone(boto):
    # A promise that nothing settles is no answer, and its time is up as anybody's.
    assert error(boto, "node", {"do": "never"})[0] == "Sandbox.Timedout"
    assert error(boto, "python-async", {"do": "exit"})[0] == "Runtime.ExitError"
    assert error(boto, "python-async", {"do": "cancel"}) == ("CancelledError", "given up")
    kind, _ = error(boto, "python", {"do": "surrogate", "text": "\ud800"})
    assert kind == "ValueError"
    assert invoke(boto, "python")["opened"] == "warm"


@pytest.mark.parametrize("name", ["node", "python"])
def test_a_client_context_of_any_shape_is_taken(boto, name):
    def sent(context):
        text = context if isinstance(context, str) else json.dumps(context, ensure_ascii=False)
        return invoke(boto, name, {"do": "context"}, ClientContext=base64.b64encode(text.encode()).decode())["clientContext"]

    assert sent({"custom": {"a": "\u00fc\u4e16"}}) in ({"custom": {"a": "\u00fc\u4e16"}}, {"a": "\u00fc\u4e16"})
    sent({"client": "x"})
    sent({"custom": 5})
    sent('{"custom":' + "[" * 900 + "]" * 900 + "}")
    assert invoke(boto, name)["opened"].startswith("warm")


def test_callbacks_and_nested_names(boto):
    assert invoke(boto, "plain") == {"db": "open"}
    assert invoke(boto, "plain", {"later": 1}) == {"db": "open"}
    assert invoke(boto, "deep") == "deep"
    assert invoke(boto, "module") == "module"
    assert invoke(boto, "inner") == "inner"
    assert invoke(boto, "python-async") == {"opened": "warm"}


def test_a_handler_that_leaves_nothing_to_wait_for_answers_null(boto, host):
    # In an instance without the timer of the test above.
    boto.invoke(FunctionName="plain", Payload="{}")
    answer = boto.invoke(FunctionName="plain", Payload='{"never": 1}')
    assert answer["Payload"].read() == b"null"


def test_log_lines_have_level_and_request(boto):
    _, log = invoke(boto, "node", {"do": "log"}, LogType="Tail")
    assert "\tINFO\tone and { two: 2 }\n" in log and "\tERROR\ta\rb" in log
    _, log = invoke(boto, "python", {"do": "log"}, LogType="Tail")
    assert "[WARNING]\t" in log and "one\rtwo" in log


@pytest.mark.parametrize("name, aborted", [("node-on", "TimeoutError"), ("python-on", [True])])
def test_after_a_timeout_the_instance_serves_on_beside_the_handler(host, boto, name, aborted):
    before = host.windows(name).total("timeouts")
    kind, _ = error(boto, name, {"do": "hang", "after": 700 if name.startswith("node") else 0.7})
    assert kind == "Function.HandlerTimeout"
    answer = invoke(boto, name, {"do": "hung"})
    assert answer == {"hung": aborted, "aborted": False}
    assert host.windows(name).total("timeouts") == before + 1
    overlaps = lambda: host.metrics()("lambda_overlapping_executions", function=name)  # noqa: E731
    assert overlaps() == 1
    poll(lambda: overlaps() == 0, 5, "the handler stops")


@pytest.mark.parametrize("name", ["node", "python"])
def test_a_timeout_ends_the_instance_unless_configured(boto, name):
    kind, _ = error(boto, name, {"do": "hang", "after": 5000 if name == "node" else 5})
    assert kind == "Sandbox.Timedout"
    assert invoke(boto, name)["opened"].startswith("warm")


@pytest.mark.parametrize("name", ["node-stream", "python-stream"])
def test_handlers_stream(host, boto, name):
    def url(event):
        return request(host.host, "POST", f"/url/{name}/", json.dumps(event), {"Content-Type": "application/json"})

    answer = url({"prelude": {"statusCode": 202, "headers": {"X-Own": "1"}, "cookies": ["a=b"]}, "pieces": 3, "size": 5})
    assert (answer.status, answer.headers["X-Own"], answer.headers["Set-Cookie"]) == (202, "1", "a=b")
    assert answer.body == b"AAAAABBBBBCCCCC"
    assert url({"pieces": 2, "size": 1}).body == b"AB"
    assert url({}).body == b""
    assert url({"pieces": 64, "size": 1 << 20}).body[-1:] == b"L"
    assert url({"early": 1}).status == 502
    with pytest.raises(http.client.IncompleteRead):
        url({"pieces": 2, "late": 1})
    if name == "node-stream":
        # A stream that its handler destroyed is no whole answer, and its instance goes on.
        with pytest.raises(http.client.IncompleteRead):
            url({"pieces": 2, "destroyed": 1})
        assert url({"pieces": 1, "size": 1}).body == b"A"
        assert host.metrics()("lambda_crashes_total", function=name) == 0
    events = list(boto.invoke_with_response_stream(
        FunctionName=f"{name}:current", Payload=json.dumps({"pieces": 2, "late": 1}))["EventStream"])
    complete = events[-1]["InvokeComplete"]
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "after"


def test_asynchronous_generators_stream(host):
    answer = request(host.host, "GET", "/url/python-events/")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


@pytest.fixture(scope="module")
def wrong(boto):
    """What callers of the bad modules are told; all at once, because some take their time."""
    names = [name.replace(".", "-") for name in [*BAD, "absent.mjs", "absent.py"]]
    with ThreadPoolExecutor(len(names)) as pool:
        return dict(zip(names, pool.map(lambda name: invoke(boto, name), names)))


@pytest.mark.parametrize("name, kind, sentence", [
    ("throws-mjs", "EvalError", "at import"),
    ("hangs-mjs", "Sandbox.Timedout", "timed out after 1.00 seconds"),
    ("wrong-mjs", "Runtime.HandlerNotFound", "wrong.handler is not a function"),
    ("syntax-mjs", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected end of input"),
    ("memory-mjs", "Runtime.InvalidConfiguration", 'write 512, "512MB" or "0.5GB"'),
    ("unknown-mjs", "Runtime.InvalidConfiguration", "config takes memory, timeout, reserved, provisioned"),
    ("warm-mjs", "Runtime.InvalidWarmUp", "export a function"),
    ("import-mjs", "Runtime.ImportModuleError", "nothing-like-this"),
    ("absent-mjs", "Runtime.ImportModuleError", "Cannot find module 'absent'"),
    ("throws-py", "EOFError", "at import"),
    ("hangs-py", "Sandbox.Timedout", "timed out after 1.00 seconds"),
    ("wrong-py", "Runtime.HandlerNotFound", "Handler 'handler' of module 'wrong' is not callable"),
    ("syntax-py", "Runtime.UserCodeSyntaxError", "Syntax error in module 'syntax'"),
    ("missing-py", "Runtime.ImportModuleError", "No module named 'nothing_like_this'"),
    ("config-py", "Runtime.InvalidConfiguration", '"10s" or "500ms"'),
    ("absent-py", "Runtime.ImportModuleError", "Unable to import module 'absent'"),
])
def test_what_is_wrong_with_a_module_is_said(wrong, name, kind, sentence):
    document = wrong[name]
    assert document["errorType"] == kind
    assert sentence in document["errorMessage"]


def test_an_es_module_without_a_mark_runs_or_is_told_what_it_lacks(wrong):
    document = wrong["module-js"]
    assert document is None or (
        document["errorType"] == "Runtime.UserCodeSyntaxError" and "name it .mjs" in document["errorMessage"])


def test_typescript_runs_where_node_strips_types(wrong):
    document = wrong["typed-mts"]
    assert document == 5 or (
        document["errorType"] == "Runtime.ImportModuleError" and "Use Node 22.18 or newer" in document["errorMessage"])
