"""Extensions as AWS's examples in Python write them: what they are told of cold, warm, failed and provisioned instances."""
import json
import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from kelvin_host import FUNCTIONS, poll, python_function, rfc3339

pytestmark = pytest.mark.both

EXTENSIONS = Path(__file__).resolve().parent / "extensions"


def install(folder, *names):
    """A directory of extensions, as a layer would bring it."""
    directory = folder / "extensions"
    directory.mkdir(exist_ok=True)
    for name in names:
        target = directory / name
        shutil.copy(EXTENSIONS / name, target)
        target.chmod(target.stat().st_mode | stat.S_IXUSR)
    return str(directory)


class Journal:
    """What an extension dispatched, in order."""

    def __init__(self, path):
        self.path = Path(path)

    def records(self):
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def telemetry(self):
        return [entry["telemetry"] for entry in self.records() if "telemetry" in entry]

    def events(self):
        return [entry["event"] for entry in self.records() if "event" in entry]

    def of(self, request):
        """The records that belong to an invocation, by their time."""
        found = [record for record in self.telemetry()
                 if isinstance(record["record"], dict) and record["record"].get("requestId") == request]
        return sorted(found, key=lambda record: rfc3339(record["time"]))

    def wait(self, condition, what):
        return poll(lambda: condition(self), 30, lambda: f"{what}: {self.records()[-20:]}")


def types(records):
    return [record["type"] for record in records]


def reported(request):
    return lambda journal: "platform.report" in types(journal.of(request))


@pytest.fixture(scope="module")
def story(hosts, client, tmp_path_factory):
    """One host on which an extension for the Telemetry API saw each outcome; the answers by name."""
    folder = tmp_path_factory.mktemp("telemetry")
    journal = Journal(folder / "journal.jsonl")
    host = hosts({"watched": python_function(
        memory="256MB", timeout="2s", extensions=install(folder, "telemetry_extension.py"),
        environment={"JOURNAL": str(journal.path)})}).start()
    boto = client(host)
    answers = {}
    for name, event in {"cold": {}, "warm": {}, "error": {"do": "error"}, "timeout": {"do": "loop"},
                        "after timeout": {}, "crash": {"do": "exit"}, "after crash": {}}.items():
        answer = boto.invoke(FunctionName="watched", Payload=json.dumps(event), LogType="Tail")
        answer["id"] = answer["ResponseMetadata"]["RequestId"]
        answer["document"] = json.loads(answer["Payload"].read())
        answers[name] = answer
        journal.wait(reported(answer["id"]), f"the report of {name}")
    host.stop()
    return host, journal, answers


def test_cold(story):
    _, journal, answers = story
    telemetry = journal.telemetry()
    first = types(telemetry)
    before = [kind for kind in first[:first.index("platform.start")] if kind.startswith("platform.")]
    assert before[0] == "platform.initStart"
    assert before.index("platform.initRuntimeDone") < before.index("platform.initReport")
    assert {"platform.telemetrySubscription", "platform.extension"} <= set(before)
    start = telemetry[0]["record"]
    assert start["initializationType"] == "on-demand" and start["phase"] == "init"
    assert start["functionName"] == "watched" and start["functionVersion"] == "$LATEST"
    assert start["instanceMaxMemory"] == 256 << 20
    assert "/[$LATEST]" in start["instanceId"]
    mine = journal.of(answers["cold"]["id"])
    assert types(mine) == ["platform.start", "platform.runtimeDone", "platform.report"]
    metrics = mine[-1]["record"]["metrics"]
    initialization = next(record["record"] for record in telemetry if record["type"] == "platform.initReport")
    assert metrics["initDurationMs"] == initialization["metrics"]["durationMs"]
    assert metrics["memorySizeMB"] == 256 and metrics["maxMemoryUsedMB"] > 5
    total = metrics["durationMs"] + metrics["initDurationMs"]
    assert total <= metrics["billedDurationMs"] < total + 1.001
    spans = [span["name"] for span in mine[1]["record"]["spans"]]
    assert spans == ["responseLatency", "responseDuration", "runtimeOverhead"]
    length = sum(span["durationMs"] for span in mine[1]["record"]["spans"])
    assert length == pytest.approx(mine[1]["record"]["metrics"]["durationMs"], abs=0.01)
    assert mine[1]["record"]["metrics"]["producedBytes"] == len(json.dumps(answers["cold"]["document"]))
    assert mine[2]["record"]["spans"][0]["name"] == "extensionOverhead"


def test_warm_and_reported_errors(story):
    _, journal, answers = story
    for name in ("warm", "error"):
        mine = journal.of(answers[name]["id"])
        assert types(mine) == ["platform.start", "platform.runtimeDone", "platform.report"], name
        assert [record["record"].get("status") for record in mine] == [None, "success", "success"], name
        assert "initDurationMs" not in mine[-1]["record"]["metrics"], name
    assert answers["error"]["FunctionError"] == "Unhandled"


def test_timeout(story):
    _, journal, answers = story
    mine = journal.of(answers["timeout"]["id"])
    assert types(mine) == ["platform.start", "platform.runtimeDone", "platform.report"]
    assert [record["record"].get("status") for record in mine] == [None, "timeout", "timeout"]
    assert mine[-1]["record"]["metrics"]["durationMs"] == 2000.0
    assert "TIMEOUT" in [event.get("shutdownReason") for event in journal.events()]


def test_crash(story):
    _, journal, answers = story
    mine = journal.of(answers["crash"]["id"])
    assert [record["record"].get("status") for record in mine] == [None, "error", "error"]
    assert mine[-1]["record"]["errorType"] == "Runtime.ExitError"
    assert answers["crash"]["document"]["errorType"] == "Runtime.ExitError"
    assert "FAILURE" in [event.get("shutdownReason") for event in journal.events()]


def test_events(story):
    _, journal, answers = story
    invoked = [event["requestId"] for event in journal.events() if event["eventType"] == "INVOKE"]
    assert invoked == [answer["id"] for answer in answers.values()]
    ends = [event["shutdownReason"] for event in journal.events() if event["eventType"] == "SHUTDOWN"]
    assert ends == ["TIMEOUT", "FAILURE", "SPINDOWN"]


def test_logs(story):
    host, _, answers = story
    shown = host.run("logs", "watched", "--lines", 1000)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("INIT_START Runtime Version: ")
    assert "EXTENSION\tName: telemetry_extension.py\tState: Ready\tEvents: [INVOKE,SHUTDOWN]" in lines
    for name, answer in answers.items():
        assert f"START RequestId: {answer['id']} Version: $LATEST" in lines
        assert f"END RequestId: {answer['id']}" in lines
        report = next(line for line in lines if line.startswith(f"REPORT RequestId: {answer['id']}\t"))
        assert ("Init Duration: " in report) == (name in ("cold", "after timeout", "after crash")), report
        assert ("Status: timeout" in report) == (name == "timeout"), report
        assert ("Status: error\tError Type: Runtime.ExitError" in report) == (name == "crash"), report
    few = host.run("logs", "watched", "--lines", 2)
    assert few.stdout.splitlines() == lines[-2:]
    missing = host.run("logs", "nobody")
    assert missing.returncode == 64
    assert missing.stderr.startswith("kelvin: There is no function nobody ")


def test_log_result_is_the_log(story):
    import base64
    host, _, answers = story
    lines = host.run("logs", "watched", "--lines", 1000).stdout.splitlines()
    for name in ("cold", "timeout", "crash"):
        tail = base64.b64decode(answers[name]["LogResult"]).decode().splitlines()
        assert tail[0] == f"START RequestId: {answers[name]['id']} Version: $LATEST"
        assert tail[-1] in lines, name


def test_follow_survives_rotation(hosts, tmp_path):
    """A reader sees each line once, although the file is put aside meanwhile."""
    host = hosts({"chatty": python_function(timeout="60s", memory="256MB")}).start()
    host.invoke("chatty", {})
    log = host.folder / "data" / "logs" / "chatty.log"
    poll(log.exists, 20, "there is a log")
    out = tmp_path / "followed"
    with open(out, "wb") as file:
        reader = subprocess.Popen([host.binary, "logs", "chatty", "--follow", "--lines", "0"], cwd=host.folder, stdout=file)
    try:
        # The reader has opened the file.
        poll(lambda: any(os.path.realpath(f"/proc/{reader.pid}/fd/{fd}") == str(log.resolve())
                         for fd in os.listdir(f"/proc/{reader.pid}/fd")), 20, "it follows")
        for number in range(60):
            answer = host.invoke("chatty", {"do": "print", "lines": 1500, "text": f"last of {number}"})
            assert answer.status == 200 and "X-Amz-Function-Error" not in answer.headers, answer
            poll(lambda: f"last of {number}" in out.read_text(errors="replace"), 30, f"batch {number} is shown")
        assert log.with_name("chatty.log.1").exists(), "it was put aside"
        text = out.read_text()
        for number in range(60):
            assert text.count(f"last of {number}\n") == 1
    finally:
        reader.terminate()
        reader.wait(10)


def test_logs_api(hosts, tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    host = hosts({"old": python_function(
        extensions=install(tmp_path, "logs_extension.py"), environment={"JOURNAL": str(journal.path)})}).start()
    answer = host.invoke("old", {})
    request = answer.headers["x-amzn-RequestId"]
    journal.wait(reported(request), "the report")
    assert types(journal.of(request)) == ["platform.start", "platform.runtimeDone", "platform.end", "platform.report"]
    assert "platform.logsSubscription" in types(journal.telemetry())
    assert host.stop() == 0
    assert [event["eventType"] for event in journal.events()] == ["INVOKE", "SHUTDOWN"]


def test_freeze(hosts, tmp_path):
    """Between invocations everything stands still; the report of one comes with the next."""
    journal = Journal(tmp_path / "journal.jsonl")
    host = hosts({"frozen": python_function(
        freeze=True, extensions=install(tmp_path, "telemetry_extension.py"),
        environment={"JOURNAL": str(journal.path), "BUFFER_MS": "1000"})}).start()

    def states():
        result = []
        for pid in host.instances():
            try:
                result.append(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
            except OSError:
                pass
        return result

    first = host.invoke("frozen", {}).headers["x-amzn-RequestId"]
    poll(lambda: len(states()) >= 2 and set(states()) == {"T"}, 20, lambda: f"all stand still: {states()}")
    assert "platform.report" not in types(journal.of(first))
    second = host.invoke("frozen", {"do": "sleep", "ms": 1500})
    assert second.status == 200 and "X-Amz-Function-Error" not in second.headers
    journal.wait(reported(first), "the first report, with the second invocation")
    poll(lambda: set(states()) == {"T"}, 20, lambda: f"all stand still again: {states()}")
    assert host.stop() == 0
    assert reported(second.headers["x-amzn-RequestId"])(journal), "the last report comes with the end"


def test_provisioned(hosts, tmp_path):
    """An instance that is ready before any request: its initialization is told long before, and no report has it."""
    journal = Journal(tmp_path / "journal.jsonl")
    host = hosts({"ready": python_function(
        provisioned=1, extensions=install(tmp_path, "telemetry_extension.py"),
        environment={"JOURNAL": str(journal.path)})}).start()
    journal.wait(lambda journal: "platform.initReport" in types(journal.telemetry()), "an initialization in advance")
    answer = host.invoke("ready:current", {})
    assert answer.status == 200 and "X-Amz-Function-Error" not in answer.headers, answer
    request = answer.headers["x-amzn-RequestId"]
    journal.wait(reported(request), "the report")
    started = [record["record"] for record in journal.telemetry() if record["type"].startswith("platform.init")]
    assert {record["initializationType"] for record in started} == {"provisioned-concurrency"}
    mine = journal.of(request)
    assert types(mine) == ["platform.start", "platform.runtimeDone", "platform.report"]
    assert "initDurationMs" not in mine[-1]["record"]["metrics"]
    assert host.stop() == 0
    lines = host.run("logs", "ready").stdout.splitlines()
    assert any(line.startswith("INIT_REPORT ") and "Status: success" in line for line in lines), lines
    assert not any("Init Duration" in line for line in lines if line.startswith("REPORT ")), lines


def test_out_of_memory(hosts, tmp_path):
    """Breaking the memory limit ends the function; where a control group has it, its extension lives to be told."""
    journal = Journal(tmp_path / "journal.jsonl")
    host = hosts({"hungry": python_function(
        memory="128MB", timeout="30s", extensions=install(tmp_path, "telemetry_extension.py"),
        environment={"JOURNAL": str(journal.path)})}).start()
    answer = host.invoke("hungry", {"do": "eat", "bytes": 400_000_000})
    assert answer.json()["errorType"] == "Runtime.ExitError", answer
    # The kernel ends one process of a control group; who looks at memory ten times a second ends them all.
    if host.isolation()["memory"] != "sampling":
        request = answer.headers["x-amzn-RequestId"]
        journal.wait(reported(request), "the report")
        mine = journal.of(request)
        assert types(mine) == ["platform.start", "platform.runtimeDone", "platform.report"]
        errors = [record["record"].get("errorType") for record in mine]
        assert errors == [None, "Runtime.OutOfMemory", "Runtime.OutOfMemory"]
        journal.wait(lambda journal: "FAILURE" in [event.get("shutdownReason") for event in journal.events()], "the end")
    assert host.invoke("hungry", {}).status == 200


def test_listener_on_the_sandbox_by_name(hosts, tmp_path):
    """Where instances have mounts of their own, the names of the sandbox resolve in them, as AWS's examples expect."""
    host = hosts({"named": python_function()}).start()
    answer = host.invoke("named", {"do": "resolve", "names": ["sandbox.localdomain", "sandbox", "localhost"]})
    if host.isolation()["temporaryStorage"] != "file-system":
        pytest.skip("this user gets no mounts")
    assert answer.json() == ["127.0.0.1"] * 3
