"""What is wrong with a configuration, a port or a data directory is told in a sentence, and nothing is half-started."""
import json
import re
import signal
import socket
import sqlite3
import threading
import time

import pytest

from kelvin_host import poll, processes_with, python_function, run


def write(folder, text):
    (folder / "kelvin.yaml").write_text(text)


def one_sentence(result, *parts):
    """Failed with 1 and one line on standard error that has these parts."""
    assert (result.returncode, result.stdout) == (1, ""), result
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("kelvin: "), lines
    for part in parts:
        assert part in lines[0], lines
    return lines[0]


WRONG = """\
agent: {listen: 127.0.0.1:0, windw: 60s}
host:
  listen: 0.0.0.0:27316
  accountConcurrency: many
functions:
  orders:
    directory: .
  reports:
    command: python3 app.py
    memory: 64MB
    timeout: 10
    reserved: -1
  "bad name":
    command: [python3]
    colour: blue
"""
PROBLEMS = {
    1: "windw", 3: "0.0.0.0:27316", 4: "accountConcurrency", 6: "command", 9: "command", 10: "memory", 11: "timeout",
    12: "reserved", 13: "bad name", 15: "colour",
}


@pytest.mark.parametrize("command", [["host", "--config", "kelvin.yaml"], ["host"], ["check-config", "kelvin.yaml"]])
def test_all_problems_of_a_configuration_are_listed(kelvin, tmp_path, command):
    write(tmp_path, WRONG)
    result = run(kelvin, *command, cwd=tmp_path)
    assert result.returncode == 64, result
    found = {}
    for line in (result.stdout + result.stderr).splitlines():
        if match := re.match(r"kelvin\.yaml:(\d+):\d+: (.+)", line):
            found[int(match[1])] = match[2]
    assert found.keys() == PROBLEMS.keys(), result.stderr
    for line, word in PROBLEMS.items():
        assert word in found[line], found[line]
        assert found[line][-1] in ".?", found[line]
    assert not (tmp_path / ".kelvin").exists(), "nothing is half-started"


@pytest.mark.parametrize("text", ["functions: [", "- a\n", "\t\n", "functions: {f: {command: [x]}}\nfunctions: {}\n", "&a [*a]"])
def test_what_is_no_configuration_at_all(kelvin, tmp_path, text):
    write(tmp_path, text)
    result = run(kelvin, "host", cwd=tmp_path)
    assert result.returncode == 64, result
    assert re.search(r"kelvin\.yaml:\d+:\d+: ", result.stderr), result.stderr


def test_no_configuration_and_unknown_options(kelvin, tmp_path):
    assert run(kelvin, "host", cwd=tmp_path).returncode == 64
    missing = run(kelvin, "host", "--config", "nowhere.yaml", cwd=tmp_path)
    assert missing.returncode in (1, 64) and "nowhere.yaml" in missing.stderr
    for arguments in (["--nonsense"], ["metrics", "lambda", "--range", "never"], ["nonsense"], ["invoke"]):
        assert run(kelvin, *arguments, cwd=tmp_path).returncode == 64, arguments


@pytest.mark.parametrize("program", ["/nonexistent/program", "./program", "no-such-program", "/tmp", "/etc/passwd"])
def test_a_command_that_is_not_there(kelvin, hosts, program):
    host = hosts({"reports": python_function(), "missing": {"command": [program, "x"]}})
    result = run(kelvin, "host", cwd=host.folder)
    assert (result.returncode, result.stdout) == (64, "")
    problem, last = result.stderr.splitlines()
    line = (host.folder / "kelvin.yaml").read_text().splitlines().index(f'        "{program}",') + 1
    assert problem.startswith(f"kelvin.yaml:{line}:9: command: ") and program.removeprefix(".") in problem
    assert last == "kelvin: kelvin.yaml has a problem."
    assert run(kelvin, "check-config", cwd=host.folder).stderr == result.stderr
    assert not (host.folder / "data").exists(), "nothing is half-started"
    assert not host.instances()


def test_functions_that_cannot_start(hosts, tmp_path):
    """Their callers are told so; the other functions run."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    host = hosts({
        "missing": {"command": [str(program)]}, "reports": python_function(),
        "nowhere": python_function(handler="nowhere.handler"),
    }).start()
    program.unlink()
    answer = host.invoke("missing", {})
    assert answer.status == 200
    assert answer.headers["X-Amz-Function-Error"] == "Unhandled"
    assert answer.json()["errorType"] == "Runtime.InvalidEntrypoint", answer
    assert host.url("missing").status == 502
    broken = host.invoke("nowhere", {})
    assert (broken.status, broken.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
    assert broken.json()["errorType"] == "Runtime.ImportModuleError", broken
    assert host.invoke("reports", {}).json()["did"] == "ok"
    windows = host.windows("missing")
    assert (windows.total("invocations"), windows.total("errors")) == (2, 2)
    assert host.windows("nowhere").total("initializationFailures") >= 1
    assert host.metrics()("lambda_initialization_failures_total", function="nowhere") >= 1


@pytest.mark.parametrize("section", ["agent", "host"])
def test_a_port_in_use(kelvin, hosts, section):
    host = hosts({"reports": python_function()})
    configuration = json.loads((host.folder / "kelvin.yaml").read_text())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        configuration[section]["listen"] = address
        write(host.folder, json.dumps(configuration))
        one_sentence(run(kelvin, "host", cwd=host.folder), address)
    assert not processes_with(host.mark)
    # What was claimed before it failed is free again: the data directory, and the other port.
    configuration[section]["listen"] = "127.0.0.1:0"
    write(host.folder, json.dumps(configuration))
    host.start()
    assert host.invoke("reports", {}).status == 200
    assert host.stop() == 0


def test_a_data_directory_that_is_a_file_or_in_use(kelvin, hosts):
    host = hosts({"reports": python_function()})
    (host.folder / "data").write_text("not a folder")
    one_sentence(run(kelvin, "host", cwd=host.folder), str(host.folder / "data"))
    (host.folder / "data").unlink()
    host.start()
    one_sentence(run(kelvin, "host", cwd=host.folder), str(host.folder / "data"))
    assert host.invoke("reports", {}).status == 200, "the first is not disturbed"


def test_a_store_of_a_newer_version(kelvin, hosts):
    host = hosts({"reports": python_function()})
    with host:
        assert host.invoke("reports", {}).status == 200
    (database,) = (host.folder / "data").glob("*.db")
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE meta SET value = 99 WHERE key = 'format version'")
    before = connection.execute("SELECT count(*), sum(length(data)) FROM totals").fetchall()
    connection.close()
    sentence = one_sentence(run(kelvin, "host", cwd=host.folder), "newer", "99")
    assert len(sentence) > 40, "it says what to do"
    one_sentence(run(kelvin, "metrics", "lambda", "--data-dir", host.folder / "data", cwd=host.folder), "newer")
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT count(*), sum(length(data)) FROM totals").fetchall() == before
    connection.close()


def test_a_store_that_is_no_store(kelvin, hosts):
    host = hosts({"reports": python_function()})
    (host.folder / "data").mkdir()
    (host.folder / "data" / "kelvin.db").write_bytes(b"no database " * 1000)
    one_sentence(run(kelvin, "host", cwd=host.folder), "kelvin.db")
    assert (host.folder / "data" / "kelvin.db").read_bytes() == b"no database " * 1000


@pytest.mark.parametrize(
    "arguments",
    [
        ["metrics", "lambda", "--agent"], ["status", "--host-url", "127.0.0.1:1", "--agent"],
        ["invoke", "reports", "--host-url"],
    ])
def test_nobody_answers(kelvin, tmp_path, arguments):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # Bound and not listening: nobody else gets it meanwhile.
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        result = run(kelvin, *arguments, f"http://{address}", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (69, ""), result
    assert address in result.stderr
    assert "kelvin host" in result.stderr, "it says how to start one"


def test_a_store_without_an_agent(kelvin, hosts):
    host = hosts({"reports": python_function()})
    with host:
        for _ in range(3):
            host.invoke("reports", {})
        live = host.windows("reports")
    stored = run(
        kelvin, "metrics", "lambda", "--data-dir", host.folder / "data", "--function", "reports", "--range", "30m",
        "--resolution", "10s", "--output", "json", cwd=host.folder)
    assert stored.returncode == 0, stored.stderr
    windows = {window["start"]: window for window in json.loads(stored.stdout)["windows"]}
    for window in live.list:
        assert windows[window["start"]]["invocations"] == window["invocations"]
        assert windows[window["start"]]["concurrencyMax"] == window["concurrencyMax"]
    absent = run(kelvin, "metrics", "lambda", "--data-dir", host.folder / "nowhere", cwd=host.folder)
    assert absent.returncode == 1
    assert not (host.folder / "nowhere").exists()


def test_invocations_in_progress_end_before_the_host_does(hosts):
    host = hosts({"reports": python_function(timeout="20s")}).start()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(host.invoke("reports", {"do": "sleep", "ms": 2000})))
    thread.start()
    poll(lambda: host.metrics()("lambda_concurrent_executions", function="reports") == 1, 15, "it runs")
    assert host.stop() == 0
    thread.join()
    assert (answers[0].status, answers[0].json()["did"]) == (200, "sleep")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once(hosts, number):
    host = hosts({"reports": python_function(timeout="60s")}).start()

    def invoke():
        try:
            host.invoke("reports", {"do": "sleep", "ms": 60000})
        except OSError:
            pass  # The host is gone.

    thread = threading.Thread(target=invoke)
    thread.start()
    poll(lambda: host.metrics()("lambda_concurrent_executions", function="reports") == 1, 15, "it runs")
    process = host.process
    process.send_signal(number)
    poll(lambda: "stopping" in host.said(), 30, "the first signal is heard")
    start = time.monotonic()
    code = host.stop(number)
    assert code == 128 + number
    assert time.monotonic() - start < 8
    thread.join()
