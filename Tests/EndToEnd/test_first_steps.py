"""What somebody meets who tries Kelvin for the first time: examples that work as they are printed, and messages that say what
happened, to what, and what to do now."""
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys

import pytest

from kelvin_host import REPOSITORY, poll, python_function, request, run
from moto_server import environment
from server_process import free_port

# A function whose program ends at once, with a reason.
BROKEN = {"command": [sys.executable, "-c", "import sys; sys.exit('no module named orders')"], "memory": 256}


def lines_of_shell(text, heading):
    """The commands that are indented below a heading."""
    section = text.split(heading, 1)[1].strip("\n")
    return [line.strip() for line in section.split("\n\n")[0].splitlines()]


class Terminal:
    """Types commands into a shell, with the program that is tested first in PATH; ends what still runs."""

    def __init__(self, kelvin, folder):
        self.folder, self.process, self.log_name = folder, None, "terminal.log"
        folder.mkdir(exist_ok=True)
        self.environment = environment(PATH=f"{kelvin.parent}:{os.environ['PATH']}", HOME=str(folder))

    def types(self, commands, seconds=180):
        """Types lines, and waits for the last to end: what it printed, standard output and standard error."""
        result = subprocess.run(
            ["bash", "-euc", "\n".join(commands)], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=seconds)
        assert result.returncode == 0, (commands, result.returncode, result.stdout, result.stderr)
        return result.stdout, result.stderr

    def types_and_leaves(self, commands, sentence):
        """Types lines of which the last goes on, until it has printed a sentence: all that it printed."""
        path = self.folder / self.log_name
        with open(path, "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-euc", "\n".join([*commands[:-1], f"exec {commands[-1]}"])], cwd=self.folder,
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        poll(lambda: sentence in path.read_text() or self.process.poll() is not None, 60, path.read_text)
        assert sentence in path.read_text()
        return path.read_text()

    def ends(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0, (self.folder / self.log_name).read_text()
        self.process = None


@pytest.fixture
def terminal(kelvin, tmp_path):
    terminal = Terminal(kelvin, tmp_path / "typed")
    yield terminal
    terminal.ends()


def on_free_ports(file):
    """The default ports may be somebody else's: the one thing that is not as it is typed."""
    listen = "".join(f'{name}: {{listen: "127.0.0.1:{free_port()}"}}\n' for name in ("agent", "host"))
    file.write_text(listen + file.read_text())


@pytest.mark.parametrize("runtime", ["python", "node"])
def test_what_init_writes_works_as_it_says(terminal, runtime):
    said, _ = terminal.types([f"kelvin init --runtime {runtime} hello"])
    first = lines_of_shell(said, "Next:")
    second = lines_of_shell(said, "Then, in another terminal:")
    assert (first[0], first[-1]) == ("cd hello", "kelvin host")
    on_free_ports(terminal.folder / "hello" / "kelvin.yaml")
    if len(first) > 2:
        terminal.types(first[:-1])
    assert terminal.types(["kelvin check-config hello/kelvin.yaml"])[0] == "hello/kelvin.yaml: ok, 1 function\n"
    banner = terminal.types_and_leaves(["cd hello", "kelvin host"], "Stop with Ctrl-C.")
    assert json.loads(terminal.types(second)[0]) == {"message": "Hello, Ada!"}
    url = re.search(r"hello +http://([0-9.:]+)(/url/hello/)", banner)
    assert request(url[1], "GET", f"{url[2]}?name=you").json() == {"message": "Hello, you!"}
    assert request(url[1], "GET", url[2]).json() == {"message": "Hello, world!"}
    poll(lambda: "greeting Ada" in terminal.types(["cd hello", "kelvin logs hello"])[0], 10, "the log has what it prints")


def test_what_init_writes_for_swift_is_checked_and_compiles(terminal, kelvin):
    said, _ = terminal.types([f"kelvin init --runtime swift --source {REPOSITORY} hello"])
    assert lines_of_shell(said, "Next:") == ["cd hello", "swift build -c release", "kelvin host"]
    folder = terminal.folder / "hello"
    result = run(kelvin, "check-config", cwd=folder)
    assert result.returncode == 64
    assert result.stderr == (
        f"kelvin.yaml:5:15: command: there is no program {folder}/.build/release/hello; build it, or correct the command.\n"
        "kelvin: kelvin.yaml has a problem.\n")
    # Built as far as it is cheap: the manifest is read, and the source is checked against the library.
    manifest = subprocess.run(
        ["swift", "package", "--package-path", folder, "dump-package"], capture_output=True, text=True, timeout=120)
    assert manifest.returncode == 0, manifest.stderr
    assert str(REPOSITORY) in manifest.stdout
    modules = kelvin.parent / "Modules"
    if (modules / "FunctionRuntime.swiftmodule").exists():
        checked = subprocess.run(
            ["swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-I", modules,
             folder / "Sources" / "hello" / "Hello.swift"],
            capture_output=True, text=True, timeout=120)
        assert checked.returncode == 0, checked.stderr


def test_init_overwrites_nothing_and_leaves_nothing_behind(kelvin, tmp_path):
    (tmp_path / "app.py").write_text("mine")
    result = run(kelvin, "init", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr == (
        "kelvin: app.py already exists, and kelvin init overwrites nothing. Name another folder: kelvin init FOLDER\n")
    assert [path.name for path in tmp_path.iterdir()] == ["app.py"]
    # A link that leads nowhere is something, too.
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "kelvin.yaml").symlink_to("/nowhere")
    assert run(kelvin, "init", "b", cwd=tmp_path).returncode == 64
    (tmp_path / "file").write_text("")
    result = run(kelvin, "init", "file/below", cwd=tmp_path)
    assert result.returncode == 1
    assert "file/below" in result.stderr and "Not a directory" in result.stderr


def readme_section(heading):
    text = (REPOSITORY / "README.md").read_text()
    section = re.search(rf"^## {heading}\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^```(\w*)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def test_the_readme_works_as_it_is_typed(terminal):
    blocks = readme_section("A first function")
    kinds = [kind for kind, _ in blocks]
    assert kinds[:4] == ["yaml", "python", "sh", ""], kinds
    (terminal.folder / "kelvin.yaml").write_text(blocks[0][1])
    (terminal.folder / "app.py").write_text(blocks[1][1])
    on_free_ports(terminal.folder / "kelvin.yaml")
    *preparations, last = blocks[2][1].splitlines()
    assert last == "kelvin host"
    terminal.types(preparations)
    banner = terminal.types_and_leaves([last], "Stop with Ctrl-C.")

    def normal(text):
        """Addresses are others here, and what a machine allows is another matter."""
        text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
        return [line for line in text.splitlines() if not line.startswith(("  isolation", "             "))]

    assert normal(banner)[:len(normal(blocks[3][1]))] == normal(blocks[3][1])
    # Then what is typed in another terminal, and what it prints.
    kind, typed = blocks[4]
    assert kind == ""
    typed = typed.replace("127.0.0.1:27316", re.search(r"invoke +http://([0-9.:]+)", banner)[1])
    for command, printed in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", typed, re.MULTILINE):
        # A terminal gets a newline behind an answer, a pipe the answer as it is.
        assert terminal.types([command])[0].rstrip("\n") == printed.rstrip("\n"), command


# What cannot start


@pytest.fixture(scope="module")
def host(hosts):
    return hosts({"orders": python_function(memory=256), "broken": dict(BROKEN)}).start()


def test_invoke_says_why_a_function_cannot_start(host):
    result = host.run("invoke", "broken")
    assert result.returncode == 1
    assert result.stderr.endswith(
        "kelvin: The function broken failed (Unhandled). It cannot start: Runtime exited with error: exit status 1; its last "
        "lines: no module named orders. The whole log: kelvin logs broken\n"), result.stderr


def test_the_host_warns_why_a_function_cannot_start(host):
    host.run("invoke", "broken")
    warning = next(line for line in host.said().splitlines() if "The function broken cannot start" in line)
    assert " warning " in warning
    assert "exit status 1; its last lines: no module named orders. " in warning
    assert warning.endswith("The whole log: kelvin logs broken")


def test_provisioned_says_why_instances_cannot_be_started(host):
    result = host.run("provisioned", "1", "--function", "broken")
    assert (result.returncode, result.stdout) == (1, "")
    assert "cannot be started: FUNCTION_ERROR_INIT_FAILURE. Runtime exited with error: exit status 1; its last lines: no " \
        "module named orders. The whole log: kelvin logs broken\n" in result.stderr
    shown = host.run("provisioned", "--function", "broken")
    assert shown.returncode == 0 and "no module named orders" in shown.stderr
    assert host.run("provisioned", "off", "--function", "broken").returncode == 0


def test_status_says_why_a_function_cannot_start(host):
    host.run("invoke", "broken")
    result = host.run("status")
    assert result.returncode == 0
    assert ("broken cannot start: Runtime exited with error: exit status 1; its last lines: no module named orders. The "
            "whole log: kelvin logs broken\n") in result.stdout
    functions = {one["function"]: one for one in json.loads(host.run("status", "--output", "json").stdout)["functions"]}
    failure = functions["broken"]["startFailure"]
    assert (failure["reason"], failure["lines"]) == (
        "Runtime exited with error: exit status 1", ["no module named orders"])
    assert "startFailure" not in functions["orders"]


def test_a_start_that_succeeds_ends_the_complaint(hosts, tmp_path):
    flag = tmp_path / "flag"
    code = (f"import os, sys, runpy; os.path.exists({str(flag)!r}) or sys.exit('not yet'); "
            "sys.argv = ['awslambdaric', 'app.handler']; runpy.run_module('awslambdaric', run_name='__main__')")
    tmp_path.chmod(0o755)
    mended = hosts({"late": python_function() | {
        "command": [sys.executable, "-c", code], "environment": {"FOLDER": str(tmp_path)}}}).start()
    assert "It cannot start: " in mended.run("invoke", "late").stderr
    flag.write_text("")
    assert mended.run("invoke", "late", '{"do": "ok"}').returncode == 0
    assert "cannot start" not in mended.run("status").stdout


def test_a_runtime_s_own_error_is_the_reason(hosts):
    wrong = hosts({"wrong": python_function(handler="nothing.handler")}).start()
    result = wrong.run("invoke", "wrong")
    assert result.returncode == 1
    assert "It cannot start: Runtime.ImportModuleError: Unable to import module 'nothing'" in result.stderr


WRONG_COMMANDS = [
    (["./nothing"], "command: there is no program {folder}/nothing; build it, or correct the command."),
    (["/nothing/at/all"], "command: there is no program /nothing/at/all; build it, or correct the command."),
    (["kelvin-nothing"], 'command: "kelvin-nothing" is in no folder of PATH ('),
    (["./folder"], "command: {folder}/folder is a folder; write the path of a program."),
    (["./plain"], "command: {folder}/plain may not be executed by this user; make it executable: chmod +x {folder}/plain"),
    (["./script"], "command: {folder}/script is a script for /nothing/python, which does not exist;"),
    (["./plain/below"], "command: {folder}/plain/below cannot be read: Not a directory."),
    ([".venv/bin/python"],
     "command: there is no program {folder}/.venv/bin/python; create its virtual environment,"),
]


@pytest.mark.parametrize("command, sentence", WRONG_COMMANDS)
def test_a_command_that_cannot_be_run_is_found_with_its_line(kelvin, tmp_path, command, sentence):
    work = tmp_path / "work"
    (work / "folder").mkdir(parents=True)
    (work / "plain").write_text("#!/bin/sh\n")
    (work / "script").write_text("#!/nothing/python -x\n")
    (work / "script").chmod(0o755)
    (tmp_path / "kelvin.yaml").write_text("functions:\n  f:\n    directory: work\n    command: " + json.dumps(command) + "\n")
    for arguments in (["check-config"], ["host"]):
        result = run(kelvin, *arguments, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (64, ""), result.stderr
        first, last = result.stderr.splitlines()
        assert first.startswith("kelvin.yaml:4:15: " + sentence.format(folder=work)), first
        assert last == "kelvin: kelvin.yaml has a problem."


def test_a_command_is_looked_up_where_the_host_looks(kelvin, tmp_path):
    tools = tmp_path / "work" / "tools"
    tools.mkdir(parents=True)
    (tools / "mine").write_text("#!/bin/sh\n")
    (tools / "mine").chmod(0o755)
    file = tmp_path / "kelvin.yaml"
    # The function's own PATH goes before the host's; what is relative in it begins at the function's folder.
    file.write_text("functions: {f: {command: [mine], directory: work, environment: {PATH: 'tools'}}}\n")
    assert run(kelvin, "check-config", cwd=tmp_path).returncode == 0
    file.write_text("functions: {f: {command: [mine], directory: work}}\n")
    assert run(kelvin, "check-config", cwd=tmp_path).returncode == 64
    assert run(kelvin, "check-config", cwd=tmp_path, environment={"PATH": str(tools)}).returncode == 0
    file.write_text("functions: {f: {command: [python], directory: work, environment: {PATH: 'tools'}}}\n")
    (tools / "python3").write_text("#!/bin/sh\n")
    (tools / "python3").chmod(stat.S_IRWXU)
    assert "did you mean python3?" in run(kelvin, "check-config", cwd=tmp_path).stderr


def test_a_folder_that_is_not_there_is_found_with_its_line(kelvin, tmp_path):
    (tmp_path / "kelvin.yaml").write_text("functions:\n  f:\n    command: [./x]\n    directory: nowhere\n")
    for arguments in (["check-config"], ["host"]):
        result = run(kelvin, *arguments, cwd=tmp_path)
        assert result.returncode == 64
        assert result.stderr.splitlines()[0] == (
            f"kelvin.yaml:4:16: directory: there is no folder {tmp_path}/nowhere; write the path of one.")


# What there is not


@pytest.mark.parametrize("command", [
    ["metrics", "lambda", "--function", "ordesr"], ["metrics", "lambda", "--function", "ordesr", "--output", "json"],
    ["metrics", "lambda", "--function", "ordesr", "--output", "csv"],
    ["metrics", "lambda", "--function", "ordesr", "--output", "prometheus"],
    ["metrics", "lambda", "--function", "ordesr", "--watch"],
    ["status", "--function", "ordesr"], ["status", "--function", "ordesr", "--output", "json"],
    ["top", "--function", "ordesr", "--once"], ["logs", "ordesr"], ["logs", "ordesr", "--follow"], ["invoke", "ordesr"],
    ["invoke", "ordesr", "--event"], ["reserved", "--function", "ordesr"], ["reserved", "5", "--function", "ordesr"],
    ["reserved", "off", "--function", "ordesr"], ["reserved", "--function", "ordesr", "--output", "json"],
    ["provisioned", "--function", "ordesr"], ["provisioned", "5", "--function", "ordesr"],
    ["provisioned", "off", "--function", "ordesr"], ["provisioned", "--function", "ordesr", "--output", "json"],
], ids=" ".join)
def test_an_unknown_function_is_one_message_with_a_suggestion_and_64(host, command):
    result = host.run(*command)
    assert (result.returncode, result.stdout) == (64, "")
    place = host.agent if command[0] in ("metrics", "top") else host.host
    assert result.stderr == f"kelvin: There is no function ordesr at http://{place}. Did you mean orders?\n"


def test_what_no_name_is_near_to_lists_what_there_is(host):
    result = host.run("invoke", "completely-different")
    assert result.stderr == (
        f"kelvin: There is no function completely-different at http://{host.host}. There are broken, orders.\n")


def test_a_version_that_there_is_not_is_no_unknown_function(host):
    result = host.run("invoke", "orders", "--qualifier", "missing")
    assert result.returncode == 1
    assert result.stderr.startswith("kelvin: The function orders has no such version or alias: ")


@pytest.mark.parametrize("typed, meant", [
    (["stauts"], "status"), (["metric"], "metrics"), (["log", "orders"], "logs"), (["start"], "host"),
    (["checkconfig"], "check-config"), (["metrics", "lamda"], "lambda"), (["help", "stauts"], "status"),
    (["Status"], "status"),
])
def test_a_mistyped_command_gets_a_suggestion(kelvin, tmp_path, typed, meant):
    result = run(kelvin, *typed, cwd=tmp_path)
    place = "kelvin metrics" if typed[0] == "metrics" else "kelvin"
    word = [word for word in typed if word not in ("help", "metrics", "orders")][0]
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr == f"kelvin: {place} has no command {word}. Did you mean {place} {meant}?\n"


def test_a_word_near_to_no_command_names_the_help(kelvin, tmp_path):
    result = run(kelvin, "xyzzy", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        64, "kelvin: kelvin has no command xyzzy. kelvin --help lists the commands.\n")


def test_logs_finds_its_host_as_status_does(host, tmp_path, kelvin):
    host.run("invoke", "orders", '{"do": "ok"}')
    # In a folder that knows nothing of the host, its address is enough.
    found = {"KELVIN_HOST": f"http://{host.host}"}
    poll(lambda: "START RequestId" in run(kelvin, "logs", "orders", cwd=tmp_path, environment=found).stdout, 10, "a log")
    named = run(kelvin, "logs", "orders", "--host-url", f"http://{host.host}", cwd=tmp_path)
    assert (named.returncode, "START RequestId" in named.stdout) == (0, True)
    # A host that the command line names, and that is not there, is not passed over.
    missing = run(kelvin, "logs", "orders", "--host-url", "127.0.0.1:1", cwd=tmp_path)
    assert (missing.returncode, missing.stdout) == (69, "")
    assert missing.stderr.startswith("kelvin: No host answers at http://127.0.0.1:1. ")


def test_logs_outlive_their_host(hosts, kelvin):
    gone = hosts({"orders": python_function()}).start()
    gone.run("invoke", "orders", '{"do": "ok"}')
    assert gone.stop() == 0
    # The file names port 0, so no host is asked but that of the default port, which has another function or none.
    result = run(kelvin, "logs", "orders", "--config", "kelvin.yaml", cwd=gone.folder)
    assert (result.returncode, "START RequestId" in result.stdout) == (0, True)
    result = run(kelvin, "logs", "ordesr", "--config", "kelvin.yaml", cwd=gone.folder)
    assert result.returncode == 64
    assert result.stderr.endswith(" Did you mean orders?\n")


# Where nobody answers


@pytest.mark.parametrize("command", [
    ["status", "--agent", "[::1]:1", "--host-url", "[::1]:1"], ["invoke", "f", "--host-url", "[::1]:1"],
    ["metrics", "lambda", "--agent", "[::1]:1"], ["top", "--once", "--agent", "[::1]:1"],
    ["logs", "f", "--host-url", "[::1]:1"], ["reserved", "--function", "f", "--host-url", "[::1]:1"],
    ["provisioned", "--function", "f", "--host-url", "[::1]:1"],
], ids=" ".join)
def test_where_nobody_answers_is_one_sentence_and_what_to_do(kelvin, tmp_path, command):
    result = run(kelvin, *command, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (69, "")
    (line,) = result.stderr.splitlines()
    assert "[::1]:1" in line and "errno" not in line and "Start one with kelvin host" in line, line
    assert not re.search(r"(?<!\[)::1", line), line


def test_an_agent_that_went_away_is_told_in_one_sentence(hosts, kelvin):
    gone = hosts({"orders": python_function()}).start()
    where = (gone.agent, gone.host)
    assert gone.stop() == 0
    for command, address in ((["metrics", "lambda", "--agent", where[0]], where[0]), (["invoke", "f", "--host-url", where[1]], where[1]),
                             (["reserved", "--function", "f", "--host-url", where[1]], where[1])):
        result = run(kelvin, *command, cwd=gone.folder)
        assert result.returncode == 69
        assert result.stderr.count("\n") == 1 and f"http://{address}" in result.stderr and "errno" not in result.stderr


def test_something_else_on_the_port_is_told(kelvin, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = subprocess.Popen(
            [kelvin, "metrics", "lambda", "--agent", f"127.0.0.1:{port}"], cwd=tmp_path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment())
        connection, _ = server.accept()
        connection.recv(65536)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        connection.close()
        output, messages = process.communicate(timeout=30)
    assert (process.returncode, output) == (69, "")
    assert messages.startswith(f"kelvin: The server at http://127.0.0.1:{port} closed the connection without an answer. Is it")
    assert messages.count("\n") == 1


# What is typed


def test_an_event_that_is_no_json_is_wrong_usage(host):
    result = host.run("invoke", "orders", "{name: Ada}")
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.startswith("kelvin: The event is not JSON. Could not parse request body into json: ")
    assert "kelvin invoke orders '{\"id\": 1}'" in result.stderr


def test_a_host_without_a_configuration_says_how_to_get_one(kelvin, tmp_path):
    result = run(kelvin, "host", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (64, "")
    assert "kelvin init" in result.stderr and "kelvin host --config FILE" in result.stderr


def test_without_arguments_the_help_says_where_to_begin(kelvin, tmp_path):
    result = run(kelvin, cwd=tmp_path)
    assert result.returncode == 0
    assert "kelvin init hello" in result.stdout and "kelvin host" in result.stdout


def test_the_version_stands_alone_and_names_what_is_linked(kelvin, tmp_path):
    result = run(kelvin, "--version", cwd=tmp_path)
    first, *libraries = result.stdout.splitlines()
    assert re.fullmatch(r"\d+\.\d+\.\d+", first)
    linked = subprocess.run(["ldd", kelvin], capture_output=True, text=True, timeout=60).stdout
    names = {
        "SQLite": "libsqlite3", "zlib": "libz", "protobuf-c": "libprotobuf-c", "glibc": "libc.so", "OpenSSL": "libcrypto"}
    for name, library in names.items():
        assert library in linked
        assert any(re.fullmatch(rf"{re.escape(name)} \d+(\.\d+)+", line) for line in libraries), libraries
    # Opened when it is needed, so not among what is linked.
    assert any(re.fullmatch(r"libcurl \d+(\.\d+)+", line) for line in libraries), libraries


def test_the_page_about_installing_names_every_library_that_the_program_needs(kelvin):
    """And no more: what the dynamic linker loads is the list."""
    needed = subprocess.run(["ldd", kelvin], capture_output=True, text=True, timeout=60).stdout
    packages = {
        "libsqlite3.so": "libsqlite3-0", "libz.so": "zlib1g", "libprotobuf-c.so": "libprotobuf-c1", "libc.so": "libc6",
        "libm.so": "libc6", "libdl.so": "libc6", "libpthread.so": "libc6", "librt.so": "libc6", "libresolv.so": "libc6",
        "libutil.so": "libc6", "libstdc++.so": "libstdc++6", "libgcc_s.so": "libgcc-s1",
        "libcrypto.so": "libssl3", "libssl.so": "libssl3", "libcrypt.so": "libcrypt1",
    }
    text = (REPOSITORY / "docs" / "install.md").read_text()
    for name in re.findall(r"^\s+(lib[\w+-]+\.so)", needed, re.MULTILINE):
        if name.startswith(("libswift", "lib_Foundation", "libFoundation", "libdispatch", "libBlocksRuntime")):
            continue  # Swift's own, linked in where it is installed.
        assert name in packages, f"{name} belongs to no package that docs/install.md names"
        assert f"`{packages[name]}`" in text, packages[name]
    assert "`libcurl4`" in text


def test_init_s_files_are_for_whoever_may_read_the_folder(kelvin, tmp_path):
    assert run(kelvin, "init", "a b", cwd=tmp_path).stdout.count("cd 'a b'") == 2
    files = [path for path in (tmp_path / "a b").iterdir()]
    assert sorted(path.name for path in files) == ["app.py", "kelvin.yaml"]
    assert not any(path.stat().st_mode & 0o111 for path in files)
    shutil.rmtree(tmp_path / "a b")
