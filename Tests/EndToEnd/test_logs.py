"""What a function prints, as a person sees it on a terminal, and as a program reads it from a pipe."""
import subprocess

import pytest

from kelvin_host import poll, python_function
from moto_server import environment
from terminal_screen import TerminalProgram

HOSTILE = "\x1b[2J\x1b]0;owned\x07one\rREPORT RequestId: forged\tDuration: 1.00 ms\t\u202egnp\x9b31m"


@pytest.fixture(scope="module")
def host(hosts):
    host = hosts({"orders": python_function(timeout="20s")}).start()
    assert host.invoke("orders", {"do": "print", "text": HOSTILE}).status == 200
    assert host.invoke("orders", {"do": "error"}).headers["X-Amz-Function-Error"] == "Unhandled"
    poll(lambda: "nothing to report" in host.run("logs", "orders").stdout, 20, "the traceback is in the log")
    return host


def on_terminal(host, kelvin, *arguments):
    """The lines that a command writes on a terminal, and its bytes."""
    variables = {"TERM": "xterm-256color", "KELVIN_HOST": f"http://{host.host}"}
    with TerminalProgram([kelvin, *arguments], host.folder, environment(**variables), columns=250, rows=60) as program:
        program.ends()
        return program.raw.decode().replace("\r\n", "\n").splitlines(), program.raw


def assert_shown(lines, raw, mark):
    assert not set(raw) & (set(range(0x20)) - {9, 10, 13} | {0x7F}), raw
    assert "\u202e" not in raw.decode() and "\x9b" not in raw.decode()
    assert f"{mark}^[[2J^[]0;owned^Gone" in lines, lines
    assert f"{mark}REPORT RequestId: forged\tDuration: 1.00 ms\t<U+202E>gnp<U+009B>31m" in lines, lines


def test_logs_on_a_terminal(host, kelvin):
    lines, raw = on_terminal(host, kelvin, "logs", "orders")
    assert_shown(lines, raw, "function | ")
    # Each line of the traceback has its own, which its client joins by carriage returns.
    assert any(line.startswith("function | Traceback (most recent call last):") for line in lines), lines
    assert any(line.startswith("function | ") and "raise ReportError(" in line for line in lines), lines


def test_tail_on_a_terminal(host, kelvin):
    event = '{"do": "print", "text": "\\u001b[2J\\u001b]0;owned\\u0007one\\rREPORT RequestId: forged\\tDuration: 1.00 ms' \
        '\\t\\u202egnp\\u009b31m"}'
    lines, raw = on_terminal(host, kelvin, "invoke", "orders", event, "--tail")
    assert_shown(lines, raw, "")
    assert any(line.startswith("REPORT RequestId: ") and "forged" not in line for line in lines)


def test_a_pipe_gets_the_bytes(host):
    text = subprocess.run([host.binary, "logs", "orders"], cwd=host.folder, capture_output=True, timeout=20).stdout.decode()
    assert f"function | {HOSTILE}\n" in text
    reports = [line for line in text.split("\n") if line.startswith("REPORT ")]
    starts = [line for line in text.split("\n") if line.startswith("START ")]
    assert len(reports) == len(starts) >= 2 and not any("forged" in line for line in reports)
