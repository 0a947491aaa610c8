"""Bits that a disk changes in the store and in the journal: each is found by `kelvin store check`, and no start fails because of the journal."""
import os
import random
import shutil
import signal
import time

import pytest

from kelvin_host import python_function, request, run
from senders import WINDOW_SECONDS, Load, Sender, Target, eight_senders, problems

ROUNDS = max(3, int(os.environ.get("KELVIN_FAULTS", "20")) // 4)
SEED = int(os.environ.get("KELVIN_SEED", "1"))
# Of those with many numbers to compare.
LONG_ROUNDS = max(3, ROUNDS // 3)
HEADER_BYTES = 64


@pytest.fixture(scope="module")
def killed(hosts, tmp_path_factory):
    """A host that was killed with entries in its journal, how many invocations it has, and a copy of its data."""
    host = hosts({"reports": python_function(reserved=2)}, window="5s").start()
    for _ in range(200):
        assert host.invoke("reports", {"do": "ok"}).status == 200
    os.kill(host.process.pid, signal.SIGKILL)
    host.process.wait()
    copy = tmp_path_factory.mktemp("copy") / "data"
    shutil.copytree(host.folder / "data", copy)
    return host, copy


@pytest.fixture(scope="module")
def sent(hosts, tmp_path_factory):
    """An agent that was killed under eight senders, what they know, and a copy of its data."""
    host = hosts({"unused": {"command": ["true"]}}, window=f"{WINDOW_SECONDS}s", command="agent")
    target = Target(host)
    target.start()
    load = Load(target, SEED)

    def part():
        time.sleep(1.2)
        target.kill()
        target.start()
        time.sleep(1.2)

    # If a batch is lost, no end of it leaves a start of another.
    load.run(eight_senders(load, tells_starts=False), part)
    # Until the next checkpoint, most of it is in the journal alone.
    target.kill()
    copy = tmp_path_factory.mktemp("copy") / "data"
    shutil.copytree(host.folder / "data", copy)
    return host, load, copy


def give_back(host, copy):
    shutil.rmtree(host.folder / "data")
    shutil.copytree(copy, host.folder / "data")


def used(path):
    """How far a segment is written."""
    return len(path.read_bytes().rstrip(b"\0"))


def flip(path, choose, first, last):
    content = bytearray(path.read_bytes())
    position = choose.randrange(first, last)
    content[position] ^= 1 << choose.randrange(8)
    path.write_bytes(content)
    return position


def check(host):
    return run(host.binary, "store", "check", "--data-dir", str(host.folder / "data"), cwd=host.folder)


def test_what_is_whole_is_called_whole(killed):
    host, copy = killed
    give_back(host, copy)
    answer = check(host)
    assert answer.returncode == 0, answer
    lines = [line.split()[:2] for line in answer.stdout.splitlines()]
    assert lines[:2] == [["store", "whole:"], ["journal", "whole:"]], answer.stdout
    with host:
        beside = check(host)
        assert beside.returncode == 0, beside


def test_flips_in_the_journal(killed):
    host, copy = killed
    choose = random.Random(SEED)
    found = 0
    for _ in range(ROUNDS):
        give_back(host, copy)
        path = max((host.folder / "data" / "journal").glob("entries-*.log"), key=used)
        position = flip(path, choose, HEADER_BYTES, used(path))
        answer = check(host)
        # Bits between two records mean nothing.
        is_damaged = answer.returncode == 1
        assert not is_damaged or path.name in answer.stdout, (position, answer)
        found += is_damaged
        with host:
            metrics = host.metrics()
            assert (metrics("kelvin_journal_damaged_records_total") > 0) == is_damaged, position
            # One record is lost: an event, or the mark behind some.
            counted = metrics("lambda_invocations_total", function="reports", trigger="direct")
            assert 200 - is_damaged <= counted <= 200, position
            assert ("could not be read and are passed over" in host.said()) == is_damaged
    assert found > ROUNDS / 2


def test_flips_in_the_store(killed):
    host, copy = killed
    choose = random.Random(SEED)
    for _ in range(ROUNDS):
        give_back(host, copy)
        path = host.folder / "data" / "kelvin.db"
        for _ in range(8):
            flip(path, choose, 0, path.stat().st_size)
        answer = check(host)
        assert answer.returncode in (0, 1) and "Fatal" not in answer.stderr, answer
        started = time.monotonic()
        try:
            with host:
                assert host.metrics()("kelvin_events_received_total") >= 0
        except AssertionError:
            # It may refuse a database that is none any more, with a sentence, and must not crash.
            host.process.wait()
            assert host.process.returncode in (0, 1), host.said()
            assert "kelvin: " in host.said(), host.said()
        assert time.monotonic() - started < 60


def lacking(host, load):
    """The batch that an agent does not have, `[]` if it has all; it has to have all others."""
    metrics = host.metrics()
    functions = sorted({record["function"] for record in load.records})

    def counts(records):
        return [sum(1 for record in records if record["function"] == function) for function in functions]

    shown = [
        metrics.total("lambda_invocations_total", function=function) + metrics.total("lambda_throttles_total", function=function)
        for function in functions]
    missing = [mine - theirs for mine, theirs in zip(counts(load.records), shown)]
    found = []
    for batch in [[], *load.batches] if any(missing) else [[]]:
        if counts(batch) != missing:
            continue
        lost = {id(record) for record in batch}
        found = problems(host, [record for record in load.records if id(record) not in lost])
        if not found:
            return batch
    raise AssertionError(f"it is not one batch that is missing: {missing}, {found[:5]}")


def test_flips_in_the_journal_of_eight_senders(sent):
    host, load, copy = sent
    choose = random.Random(SEED)
    give_back(host, copy)
    with host:
        assert not lacking(host, load)
    damaged = lost = 0
    for _ in range(LONG_ROUNDS):
        give_back(host, copy)
        paths = [path for path in (host.folder / "data" / "journal").glob("*-*.log") if used(path) > HEADER_BYTES]
        path = choose.choices(paths, [used(path) for path in paths])[0]
        position = flip(path, choose, HEADER_BYTES, used(path))
        answer = check(host)
        is_damaged = answer.returncode == 1
        assert not is_damaged or path.name in answer.stdout, (position, answer)
        damaged += is_damaged
        with host:
            assert (host.metrics()("kelvin_journal_damaged_records_total") > 0) == is_damaged, position
            batch = lacking(host, load)
            lost += bool(batch)
            assert not batch or is_damaged and path.name.startswith("batches"), (position, path)
    print(f"{LONG_ROUNDS} bits in the journal of eight senders: {damaged} found, {lost} batches lost, all others counted")
    assert damaged > LONG_ROUNDS / 2


def test_flips_in_the_store_of_eight_senders(sent):
    host, _, copy = sent
    choose = random.Random(SEED)
    started = 0
    for number in range(LONG_ROUNDS):
        give_back(host, copy)
        path = choose.choice([path for path in (host.folder / "data").glob("kelvin.db*") if path.suffix != ".db-shm"])
        for _ in range(8):
            flip(path, choose, 0, path.stat().st_size)
        answer = check(host)
        assert answer.returncode in (0, 1) and "Fatal" not in answer.stderr, answer
        try:
            host.start()
        except AssertionError:
            host.process.wait()
            assert host.process.returncode == 1 and "kelvin: " in host.said(), host.said()
            host.process = None
            continue
        started += 1
        # It answers whatever it has, and goes on counting.
        for query in ("/api/v1/windows?range=30m&resolution=5s", "/api/v1/status", "/api/v1/functions"):
            assert request(host.agent, "GET", query).status in (200, 503), query
        target = Target(host)
        target.is_up.set()
        load = Load(target, f"{SEED}, {number}")
        sender = Sender(load, 100)
        sender.step([event for event in sender.events(20) if event["event"] == "invocationFinished"])
        assert host.metrics().total("lambda_invocations_total", function="own-100") == sum(
            record["function"] == "own-100" for record in load.records)
        assert host.stop() == 0
    print(f"{LONG_ROUNDS} times eight bits in the store of eight senders: {started} starts, all others refused with a sentence")
