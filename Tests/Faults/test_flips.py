"""Bits that a disk changes in the store and in the journal: each is found by `kelvin store check`, and no start fails because of the journal."""
import os
import random
import shutil
import signal
import time

import pytest

from kelvin_host import python_function, run

ROUNDS = max(3, int(os.environ.get("KELVIN_FAULTS", "20")) // 4)
SEED = int(os.environ.get("KELVIN_SEED", "1"))
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
