"""`kelvin import` into an agent: once, in any order, beside live events, and over a kill."""
import json
import os
import signal
import subprocess
import time

import pytest

from kelvin_host import request
from test_access import Agent, READER, SENDER, agents, tokens  # noqa: F401
from test_import import STREAM, log


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(seconds))) + f".{int(seconds * 1000) % 1000:03}000+00:00"


def day(begin, numbers, spacing=600):
    """An invocation of 2 s in every ten minutes, three at once; each in an instance of its own, every tenth timed out."""
    lines = []
    for number in numbers:
        stream = f"2026/11/24/[$LATEST]0a{number:030}"
        identity = f"5e1f0000-0000-4000-8000-{number:012}"
        start = begin + number // 3 * spacing + number % 3 / 2
        tail = "\tStatus: timeout" if number % 10 == 0 else ""
        lines += [
            f"{iso(start)} {stream} INIT_START Runtime Version: python:3.13.v30\n",
            f"{iso(start)} {stream} START RequestId: {identity} Version: $LATEST\n",
            f"{iso(start + 1)} {stream} charged\n",
            f"{iso(start + 2)} {stream} END RequestId: {identity}\n",
            f"{iso(start + 2)} {stream} REPORT RequestId: {identity}\tDuration: 1999.10 ms\tBilled Duration: 2000 ms\t"
            f"Memory Size: 128 MB\tMax Memory Used: 60 MB\tInit Duration: 120.00 ms{tail}\n"]
    return "".join(lines)


class Runner:
    def __init__(self, kelvin, folder):
        self.kelvin, self.folder = kelvin, folder

    def __call__(self, *arguments, **environment):
        done = subprocess.run(
            [str(self.kelvin), *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120,
            env=os.environ | environment)
        return done

    def document(self, agent, *arguments):
        done = self("import", "--output", "json", "--agent", f"http://{agent.address}", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr


@pytest.fixture
def run(kelvin, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    return Runner(kelvin, folder)


def windows(agent, begin, hours=8, function=None, resolution="1m"):
    path = f"/api/v1/windows?from={iso(begin - 3600)[:19]}Z&to={iso(begin + hours * 3600)[:19]}Z&resolution={resolution}"
    answer = request(agent.address, "GET", path + (f"&function={function}" if function else ""))
    assert answer.status == 200, answer
    return answer.json()["windows"]


def yesterday():
    return int(time.time()) // 3600 * 3600 - 30 * 3600


def test_a_file_counts_once_and_shows_what_the_dry_run_shows(agents, run):
    begin = yesterday()
    (run.folder / "all.log").write_text(day(begin, range(100)))
    dry = run("import", "--dry-run", "--function", "orders", "all.log")
    assert dry.returncode == 0, dry
    agent = agents([])
    first = run("import", "--function", "orders", "--agent", f"http://{agent.address}", "all.log")
    assert first.returncode == 0, first
    assert first.stdout == dry.stdout
    assert "imported: 400 new, 0 known already" in first.stderr and "timeouts: 10" in first.stderr
    found = windows(agent, begin)
    second = run("import", "--function", "orders", "--agent", f"http://{agent.address}", "all.log")
    assert second.returncode == 0 and second.stdout == first.stdout
    assert "imported: 0 new, 400 known already" in second.stderr
    assert windows(agent, begin) == found
    assert sum(window["invocations"] for window in found) == 100
    assert {window["concurrencyMax"] for window in found} == {3, 1}
    assert all(window["throttles"] is None and window["instancesMax"] is None for window in found)
    own = windows(agent, begin, function="orders")
    assert [window["invocations"] for window in own] == [window["invocations"] for window in found]
    span = f"/api/v1/series?function=orders&from={iso(begin - 3600)[:19]}Z&to={iso(begin + 8 * 3600)[:19]}Z"
    assert request(agent.address, "GET", span).status == 200
    # Counters are of what was seen live.
    assert "lambda_invocations_total{" not in request(agent.address, "GET", "/metrics").body.decode()
    checked = run("store", "check", "--data-dir", str(agent.folder / "data"))
    assert checked.returncode == 0 and "400 imported facts" in checked.stdout, checked
    lines = run("store", "export", "--format", "ndjson", "--range", "48h", "--data-dir", str(agent.folder / "data"))
    exported = [json.loads(line) for line in lines.stdout.splitlines()]
    assert sum(window["invocations"] for window in exported if window.get("function") == "orders") == 100


def test_halves_in_any_order_are_the_whole(kelvin, tmp_path, run):
    begin = yesterday()
    whole = day(begin, range(90)).splitlines(keepends=True)
    # Not between invocations, and not between streams: the second half begins in the middle of one.
    middle = len(whole) // 2 + 2
    (run.folder / "whole").write_text("".join(whole))
    (run.folder / "early").write_text("".join(whole[:middle]))
    (run.folder / "late").write_text("".join(whole[middle - 7:]))
    results = []
    for order in (["whole"], ["early", "late"], ["late", "early"], ["late", "early", "late"]):
        folder = tmp_path / "-".join(order)
        folder.mkdir()
        agent = Agent(folder, [])
        try:
            for file in order:
                document, _ = run.document(agent, "--function", "orders", file)
            results.append((windows(agent, begin), windows(agent, begin, function="orders"), windows(agent, begin, resolution="1h")))
        finally:
            agent.stop()
    assert results[0] == results[1] == results[2] == results[3]
    assert sum(window["invocations"] for window in results[0][0]) == 90


def test_what_live_events_reached_is_left_as_it_is(agents, run):
    agent = agents([])
    now = time.time_ns()
    at = now - 20_000_000_000
    identity = "11111111-2222-4333-8444-555555555555"
    live = [
        {"id": "0", "timestamp": at // 1_000_000, "message": f"START RequestId: {identity} Version: $LATEST\n"},
        {"id": "1", "timestamp": at // 1_000_000 + 500, "message": f"END RequestId: {identity}\n"},
        {"id": "2", "timestamp": at // 1_000_000 + 500, "message": (
            f"REPORT RequestId: {identity}\tDuration: 499.00 ms\tBilled Duration: 500 ms\tMemory Size: 128 MB\t"
            "Max Memory Used: 40 MB\t\n")}]
    document = {
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "/aws/lambda/orders",
        "logStream": STREAM.format(77), "subscriptionFilters": ["kelvin"], "logEvents": live}
    assert request(agent.address, "POST", "/v1/logs", json.dumps(document)).status == 200
    minute = iso(at // 60_000_000_000 * 60)[:19] + "Z"

    def own():
        return {window["start"]: window for window in windows(agent, now // 10**9 - 7200, hours=3, function="orders")}

    before = own()[minute]
    assert before["invocations"] == 1
    # The same minute, and two hours before: of the first nothing is taken, of the second all.
    (run.folder / "log").write_text(
        day(at / 1e9 - 7200, range(3)).replace("000000000", "999999999") + day(at / 1e9, range(10, 13), spacing=0))
    stored, messages = run.document(agent, "--function", "orders", "log")
    assert stored["stored"]["held"] == [{"function": "orders", "windows": 1}]
    assert "left as they were" in messages and "orders (1)" in messages
    after = own()
    assert after[minute] == before
    assert sum(window["invocations"] for window in after.values() if window["start"] != minute) == 3
    text = request(agent.address, "GET", "/metrics").body.decode()
    assert 'lambda_invocations_total{function="orders",trigger="direct"} 1\n' in text


def test_an_import_survives_a_kill(kelvin, tmp_path, run):
    begin = yesterday()
    text = day(begin, range(3000), spacing=20)
    (run.folder / "log").write_text(text)
    folder = tmp_path / "killed"
    folder.mkdir()
    agent = Agent(folder, [])
    try:
        importing = subprocess.Popen(
            [str(kelvin), "import", "--function", "orders", "--agent", f"http://{agent.address}", "log"], cwd=run.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
        assert importing.wait(60) != 0
        assert "No agent answers" in importing.stderr.read() or importing.returncode in (1, 69)
        again = Agent(folder, [])
        try:
            # What was kept when it was killed is computed without anybody asking for it.
            importing = subprocess.Popen(
                [str(kelvin), "import", "--function", "orders", "--agent", f"http://{again.address}", "log"], cwd=run.folder,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.4)
            again.process.send_signal(signal.SIGKILL)
            again.process.wait()
            importing.wait(60)
        finally:
            again.stop()
        last = Agent(folder, [])
        try:
            document, _ = run.document(last, "--function", "orders", "log")
            found = windows(last, begin, hours=9)
            assert sum(window["invocations"] for window in found) == 3000
            assert document["stored"]["accepted"] + document["stored"]["duplicates"] == 12_000
        finally:
            last.stop()
    finally:
        agent.stop()


def test_who_may_not_and_where_nobody_is(agents, run, tmp_path):
    (run.folder / "log").write_text(log(range(10, 12)))
    away = run("import", "--agent", "http://127.0.0.1:1", "log")
    assert away.returncode == 69 and "No agent answers" in away.stderr and "--dry-run" in away.stderr
    agent = agents([f"tokenFile: {tokens(tmp_path)}"])
    address = f"http://{agent.address}"
    nothing = run("import", "--agent", address, "log")
    assert nothing.returncode == 1 and "KELVIN_TOKEN_FILE" in nothing.stderr and "--dry-run" in nothing.stderr
    own = tmp_path / "own"
    own.write_text(READER)
    reader = run("import", "--agent", address, "log", KELVIN_TOKEN_FILE=str(own))
    assert reader.returncode == 1 and "ingest" in reader.stderr
    own.write_text(SENDER)
    sender = run("import", "--agent", address, "--function", "orders", "log", KELVIN_TOKEN_FILE=str(own))
    assert sender.returncode == 0, sender
    assert "not read from it" in sender.stderr and "imported: 6 new" in sender.stderr
    assert request(agent.address, "POST", "/v1/import", b"\x02", headers={"Authorization": f"Bearer {SENDER}"}).status == 400
