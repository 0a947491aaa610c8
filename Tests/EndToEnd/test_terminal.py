"""The live views as a person sees them, on a terminal that an emulator draws."""
import os
import re
import signal
import subprocess

import pytest

from kelvin_host import poll, python_function
from moto_server import environment
from terminal_screen import TerminalProgram


@pytest.fixture(scope="module")
def host(hosts):
    """Two functions, one of which has been throttled, has failed and has timed out."""
    host = hosts({
        "orders": python_function(reserved=1, timeout="300ms", memory=256),
        "reports": python_function(timeout="5s"),
    }, window="60s").start()
    assert host.invoke("reports", {}).status == 200
    return host


@pytest.fixture
def terminal(kelvin, host, tmp_path):
    """Starts a command of kelvin's on a terminal, asking the host's agent."""
    made = []

    def make(*arguments, columns=80, rows=24, agent=None, **variables):
        variables = {"TERM": "xterm-256color", "KELVIN_AGENT": f"http://{agent or host.agent}", **variables}
        variables = {name: value for name, value in environment(**variables).items() if value is not None}
        program = TerminalProgram([kelvin, *arguments], tmp_path, variables, columns, rows)
        made.append(program)
        return program

    yield make
    for program in made:
        program.__exit__()


WATCH = ("metrics", "lambda", "--watch", "--interval", "200ms")
TOP = ("top", "--interval", "200ms")


def number(line, position):
    return int(line.split()[position])


def test_watch_shows_windows_and_then_what_happens(host, terminal):
    program = terminal(*WATCH, "--function", "reports")
    program.shows("* still open")
    assert program.line("reports  windows of 1m, last 31m  every 200ms")
    assert program.line("Concurrent (max)").endswith(("max 0 of 1000", "max 1 of 1000"))
    before = number(program.line("Invocations"), -1)
    assert host.invoke("reports", {}).status == 200
    program.shows(lambda it: number(it.line("Invocations"), -1) == before + 1)
    # Invocations, throttled, errors, 504s of one of the newest windows.
    assert re.search(r"^\d\d:\d\dZ\*? +[1-9]\d* +0 +0 +0 ", program.text(), re.M)
    # Nothing is wider than the screen, and all is there.
    assert "no room" not in program.text()
    assert max(map(len, program.lines())) <= 80


def test_what_goes_wrong_has_a_colour_and_no_color_has_none(host, terminal):
    assert host.invoke("orders", {"do": "sleep", "ms": 3000}).status == 200
    assert host.invoke("orders", {"do": "error"}).status == 200
    assert host.run("reserved", "0", "--function", "orders").returncode == 0
    assert host.invoke("orders", {}).status == 429
    assert host.run("reserved", "1", "--function", "orders").returncode == 0
    program = terminal(*WATCH, "--function", "orders")
    program.shows(lambda it: number(it.line("Throttled") or "0", -1) >= 1)
    program.shows(lambda it: number(it.line("504s") or "0", -1) >= 1)
    assert program.line("Concurrent (max)").endswith("max 1 of 1")
    assert program.colours("max 1 of 1") == {"red"}
    assert b"\x1b[33m" in program.raw, "throttles are yellow"
    assert b"\x1b[1;31m" in program.raw, "504s are red"
    plain = terminal(*WATCH, "--function", "orders", NO_COLOR="1")
    plain.shows(lambda it: number(it.line("Throttled") or "0", -1) >= 1)
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9][;m]", plain.raw)
    assert b"\x1b[1m" in plain.raw, "titles are bold: that is no colour"


def test_columns_go_where_there_is_no_room_and_that_is_said(terminal):
    program = terminal(*WATCH, columns=50)
    program.shows("no room for")
    assert max(map(len, program.lines())) <= 50
    assert "Conc." in program.text()
    program.resize(120, 30)
    program.shows("Concurrent (max)  Duration avg")
    assert "no room for" not in program.text()
    assert program.lines()[29].endswith("q quits, ↑↓ scroll")
    program.resize(30, 8)
    program.shows(lambda it: it.lines()[7] and "Conc." in it.text())
    assert max(map(len, program.lines())) <= 30


@pytest.mark.parametrize("command", [WATCH, TOP])
@pytest.mark.parametrize("way", ["q", "escape", "ctrl-c", "interrupt", "terminate", "hang up"])
def test_the_screen_is_clean_afterwards(terminal, command, way):
    program = terminal(*command)
    program.shows("q quits")
    match way:
        case "q":
            program.press(b"q")
        case "escape":
            program.press(b"\x1b")
        case "ctrl-c":
            program.press(b"\x03")
        case "interrupt":
            program.process.send_signal(signal.SIGINT)
        case "terminate":
            program.process.send_signal(signal.SIGTERM)
        case "hang up":
            program.process.send_signal(signal.SIGHUP)
    code = program.ends()
    expected = {"ctrl-c": -signal.SIGINT, "interrupt": -signal.SIGINT, "terminate": -signal.SIGTERM,
                "hang up": -signal.SIGHUP}
    assert code == expected.get(way, 0)
    assert program.is_as_before()
    assert not any(program.lines()[1:])


def test_a_program_that_was_stopped_gives_the_terminal_back_and_takes_it_again(terminal):
    program = terminal(*WATCH)
    program.shows("q quits")
    program.press(b"\x1a")
    stat = f"/proc/{program.process.pid}/stat"
    # A session leader's group is an orphan, in which the system ignores that stop; so the screen shows both ways at once.
    poll(lambda: program.take() or program.raw.count(b"\x1b[?1049l") == 1, 20, "it leaves the screen")
    if open(stat).read().rsplit(")", 1)[1].split()[0] == "T":
        program.process.send_signal(signal.SIGCONT)
    poll(lambda: program.take() or program.raw.count(b"\x1b[?1049h") == 2, 20, "it takes the screen again")
    program.shows("q quits")
    program.press(b"q")
    assert program.ends() == 0
    assert program.is_as_before()


@pytest.mark.parametrize("command", [WATCH, TOP])
def test_an_agent_that_goes_away_is_said_and_tried_again(hosts, terminal, command):
    mortal = hosts({"reports": python_function()}, window="60s").start()
    port = mortal.agent
    program = terminal(*command, agent=port)
    program.shows("q quits")
    mortal.stop()
    program.shows("Trying again. The values are from")
    assert "q quits" in program.text(), "what was known stays"
    # The same port again.
    path = mortal.folder / "kelvin.yaml"
    path.write_text(path.read_text().replace(
        '"agent": {\n    "listen": "127.0.0.1:0"', f'"agent": {{\n    "listen": "{port}"'))
    mortal.start()
    program.shows(lambda it: "Trying again" not in it.text())
    program.press(b"q")
    assert program.ends() == 0
    assert program.is_as_before()


def test_an_agent_that_was_never_there_is_a_failure(terminal):
    for command in (WATCH, TOP, ("top", "--once")):
        program = terminal(*command, agent="127.0.0.1:1")
        assert program.ends() == 69
        assert "No agent answers at http://127.0.0.1:1." in program.text()
        assert b"\x1b[?1049h" not in program.raw


def test_nothing_is_written_while_nothing_changes(terminal):
    """Frames are written at once, between marks, and only what changed of them."""
    program = terminal(*WATCH)
    program.shows("q quits")
    start = len(program.raw)
    # The clock at the right of the first line changes every second.
    poll(lambda: program.take() or program.raw[start:].count(b"\x1b[?2026h") >= 2, 20, "the clock moves on")
    frames = re.findall(rb"\x1b\[\?2026h(.*?)\x1b\[\?2026l", program.raw[start:], re.S)
    assert b"\x1b[2J" not in program.raw[start:]
    assert all(len(frame) < 300 for frame in frames[:2]), frames[:2]


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": None}])
def test_on_a_dumb_terminal_tables_follow_each_other(terminal, variables):
    program = terminal(*WATCH, "--range", "1m", rows=60, columns=100, **variables)
    program.shows(lambda it: it.text().count("Time ") >= 2)
    assert b"\x1b" not in program.raw
    program.process.send_signal(signal.SIGTERM)
    assert program.ends() == -signal.SIGTERM
    top = terminal("top", **variables)
    assert top.ends() == 64
    assert "kelvin top --once" in top.text()


def test_into_a_pipe_tables_follow_each_other(host, kelvin, tmp_path):
    process = subprocess.Popen(
        [kelvin, *WATCH, "--range", "1m", "--agent", host.agent], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, env=environment(TERM="xterm"))
    seen = []
    while seen.count("\n") < 2:
        seen.append(process.stdout.readline())
    process.terminate()
    assert process.wait(20) == -signal.SIGTERM
    process.stdout.close()
    assert [line.split()[0] for line in seen if line.startswith("Timestamp")] == ["Timestamp"] * 2
    assert "\x1b" not in "".join(seen)


def test_top_shows_functions_and_the_instances_of_the_chosen_one(host, terminal):
    program = terminal(*TOP, columns=100)
    program.shows("Instances of ")
    assert program.lines()[0].startswith("Kelvin ")
    assert "functions: 2" in program.lines()[1]
    for name in ("orders", "reports"):
        program.shows(lambda it: it.line(name))
    # By name, the first column, so that the order is known.
    program.press(b"\x1b[D")
    program.shows("Function*")
    program.press(b"\x1b[H")
    program.shows("Instances of orders")
    program.press(b"\x1b[")
    program.press(b"B")
    program.shows("Instances of reports: 1, memory")
    row = next(line for line in program.text().splitlines() if re.match(r"[0-9a-f]{8}-", line))
    before = number(row, -4)
    assert "idle" in row and "on-demand" in row
    assert host.invoke("reports", {}).status == 200
    program.shows(lambda it: re.search(rf"idle .* {before + 1} .*on-demand", it.text()))
    program.shows(lambda it: float(it.line("reports").split()[1]) > 0)
    program.press(b"i")
    program.shows(lambda it: "Instances of" not in it.text())
    program.press(b"?")
    program.shows("sort by another column")
    program.press(b"x")
    program.shows(lambda it: it.line("reports"))
    program.press(b"q")
    assert program.ends() == 0
    assert program.is_as_before()


def test_top_shows_an_invocation_while_it_runs(host, terminal):
    program = terminal(*TOP, "--function", "reports", columns=120)
    program.shows("Instances of reports")
    caller = subprocess.Popen(
        [host.binary, "invoke", "reports", '{"do": "sleep", "ms": 2500}', "--host-url", host.host],
        stdout=subprocess.DEVNULL, env=environment())
    try:
        program.shows(lambda it: "busy" in re.sub("idle/busy", "", it.text()))
        program.shows("concurrency 1 of 1000")
    finally:
        assert caller.wait(30) == 0
    program.shows("concurrency 0 of 1000")


def test_top_fits_80_columns(terminal):
    program = terminal(*TOP)
    program.shows("q quits")
    assert max(map(len, program.lines())) <= 80
    header = program.line("Function")
    for title in ("Inv/s", "Conc.", "Max", "Limit", "Thr/s", "Err/s", "504/s", "Cold", "p95", "I/I/B"):
        assert title in header
    program.shows("no room for")


def test_once_prints_a_table(host):
    result = host.run("top", "--once", "--interval", "300ms")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    lines = result.stdout.splitlines()
    rows = {line.split()[0]: line.split() for line in lines[4:]}
    assert set(rows) == {"orders", "reports"}
    header = lines[3].split("  ")
    assert header[0] == "Function"
    # Invocations a second, concurrent now, maximum, limit.
    assert rows["orders"][2] == "0" and rows["orders"][4] == "1"
    assert rows["reports"][4] == "1000"
    one = host.run("top", "--once", "--function", "reports", "--interval", "300ms")
    assert "Instances of reports: " in one.stdout and "on-demand" in one.stdout
    missing = host.run("top", "--once", "--function", "nothing")
    assert missing.returncode == 64
    assert missing.stderr == (
        f"kelvin: There is no function nothing at http://{host.agent}. There are orders, reports.\n")


@pytest.mark.parametrize("arguments", [
    ("metrics", "lambda", "--watch", "--output", "json"), ("metrics", "lambda", "--interval", "1s"),
    ("metrics", "lambda", "--watch", "--interval", "1ms"), ("top", "--interval", "2h"),
    ("metrics", "lambda", "--output", "prometheus", "--range", "1h"),
])
def test_what_makes_no_sense_is_refused(kelvin, tmp_path, arguments):
    result = subprocess.run([kelvin, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                            env={**os.environ})
    assert result.returncode == 64
