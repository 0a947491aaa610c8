"""What the page costs on an agent of 10,000 functions: its bytes, the agent's processor time while it is open, and how long
Chromium takes to its first paint."""
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))
# Their folder is only now on the path.
from chromium import Browser, wait  # noqa: E402
from many_functions import repeat_function  # noqa: E402

FILES = ["/", "/assets/kelvin.js", "/assets/kelvin.css"]
MINUTE = 60_000_000_000


def fetch(address, path):
    with urllib.request.urlopen(f"http://{address}{path}") as answer:
        return answer.read()


def many_functions(path, count, minutes):
    """Turns a store with one function into one of so many, each with windows of the last minutes."""
    repeat_function(path, "orders", [f"function-{number:05}" for number in range(count)])
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        newest, rollup = database.execute(
            "SELECT start, rollups.data FROM rollups JOIN functions ON id = scope WHERE length = ? AND name = 'orders' "
            "ORDER BY start DESC LIMIT 1", (MINUTE,)).fetchone()
        numbers = database.execute("SELECT id FROM functions WHERE name LIKE 'function-%'").fetchall()
        for minute in range(20, 20 + minutes):
            database.executemany(
                "INSERT INTO rollups (length, start, scope, final, data) VALUES (?, ?, ?, 1, ?)",
                ((MINUTE, newest - minute * MINUTE, number, rollup) for (number,) in numbers))


class Agent:
    """A running `kelvin agent` on a store."""

    def __init__(self, kelvin, folder, port):
        configuration = Path(folder) / "agent.yaml"
        configuration.write_text(json.dumps({
            "agent": {"listen": f"127.0.0.1:{port}", "dataDirectory": str(Path(folder) / "data")}}))
        self.address = f"127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [kelvin, "agent", "--config", str(configuration)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def is_ready(self):
        try:
            return fetch(self.address, "/-/ready") != b""
        except OSError:
            return False

    def __enter__(self):
        wait(self.is_ready, 60, "the agent is ready")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def share(processor_seconds, pid, seconds):
    """The share of one processor that a process takes over some time."""
    before, begin = processor_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (processor_seconds(pid) - before) / (time.monotonic() - begin)


def measure(kelvin, folder, port, processor_seconds, add):
    """Adds rows, given the folder of a store that ``many_functions`` made."""
    with Agent(kelvin, folder, port) as agent:
        sizes = [len(fetch(agent.address, path)) for path in FILES]
        add("page: HTML, CSS and JavaScript, not compressed", sum(sizes) / 1e3, "KB", most=60)
        with Browser() as browser:
            paints = []
            for _ in range(5):
                browser.open(f"http://{agent.address}/")
                browser.wait_for("document.querySelectorAll('#functions tbody svg').length === 25", 60)
                paints.append(browser.evaluate(
                    "performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            time.sleep(30)  # An agent that has just started has work of its own.
            seen = share(processor_seconds, agent.process.pid, 120)
        alone = share(processor_seconds, agent.process.pid, 60)
        add("page: 10,000 functions, first contentful paint, least", min(paints), "ms", most=1000)
        add("page: 10,000 functions, agent's CPU while one page is open", seen * 100, "%")
        add("page: 10,000 functions, agent's CPU with nobody looking", alone * 100, "%")
        add("page: 10,000 functions, the difference of these two", (seen - alone) * 100, "%", most=1)
