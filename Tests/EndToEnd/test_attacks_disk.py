"""The data directory is removed, replaced, filled and damaged under a running host: nothing is lost without a word."""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess

import pytest

from kelvin_host import poll, python_function, request, run


def invoke(host, count):
    for _ in range(count):
        assert host.invoke("reports", {}).status == 200


def store(host):
    return request(host.agent, "GET", "/api/v1/status").json()["store"]


def recorded(host):
    """The invocations in the last checkpoint, as the file beside the store says."""
    try:
        return int((host.folder / "data" / "kelvin.last").read_text().split()[3])
    except (OSError, IndexError):
        return None


def saved(host):
    """Waits until all that happened is in the store."""
    invoke(host, 1)
    poll(lambda: recorded(host) == totals(host), 10, "a checkpoint with all of it")


def totals(host):
    return host.metrics().total("lambda_invocations_total", function="reports")


@pytest.fixture
def host(hosts):
    return hosts({"reports": python_function()})


def take_directory(data):
    shutil.rmtree(data)


def take_database(data):
    (data / "kelvin.db").unlink()


def take_log(data):
    (data / "kelvin.db-wal").unlink()


def put_another_directory(data):
    data.rename(data.parent / "moved")
    data.mkdir()


def take_lock(data):
    (data / "kelvin.lock").unlink()


@pytest.mark.parametrize("attack", [take_directory, take_database, take_log, put_another_directory, take_lock])
def test_a_store_that_is_taken_away_is_told_and_written_again(host, attack):
    data = host.folder / "data"
    host.start()
    saved(host)
    before = totals(host)
    attack(data)
    poll(lambda: host.metrics()("kelvin_store_removals_total") >= 1, 30, "it is noticed within a checkpoint")
    poll(lambda: store(host)["state"] == "restored", 30, lambda: f"it is written again: {store(host)}")
    assert "while Kelvin ran" in store(host)["problem"]
    saved(host)
    assert host.stop() == 1, "the exit code tells"
    last = host.said().strip().splitlines()[-1]
    assert last.startswith("kelvin: ") and "while Kelvin ran" in last, last
    with host:
        assert totals(host) == before + 1, "nothing is lost"
        assert store(host)["state"] == "ok"


def test_no_second_host_gets_in_when_the_lock_is_deleted(kelvin, host):
    host.start()
    take_lock(host.folder / "data")
    second = run(kelvin, "host", cwd=host.folder)
    assert second.returncode == 1
    assert "is in use by another Kelvin" in second.stderr
    poll(lambda: (host.folder / "data" / "kelvin.lock").exists(), 30, "the lock is there again")
    invoke(host, 1)
    assert host.stop() == 1


def test_another_store_in_its_place_is_left_alone(host):
    data = host.folder / "data"
    host.start()
    saved(host)
    (data / "kelvin.db").unlink()
    (data / "kelvin.db").write_bytes(b"another")
    poll(lambda: store(host)["state"] == "failing", 30, "it is noticed")
    poll(lambda: "move that file away" in store(host)["problem"], 30, "it says what to do")
    assert (data / "kelvin.db").read_bytes() == b"another"
    (data / "kelvin.db").unlink()
    poll(lambda: store(host)["state"] == "restored", 30, "its own is written again")
    assert host.stop() == 1


def test_a_directory_that_may_not_be_written_any_more(host):
    """As root rights do not bind; then there is nothing to see."""
    data = host.folder / "data"
    host.start()
    saved(host)
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    data.chmod(0o500)
    try:
        poll(lambda: store(host)["state"] == "failing", 30, "it is noticed")
        invoke(host, 3)
    finally:
        data.chmod(0o700)
    poll(lambda: store(host)["state"] == "ok", 30, "it heals")
    assert host.stop() == 0


def test_what_cannot_be_saved_at_the_end_is_in_the_journal(host):
    """A file that may grow no further stands for a full disk, as any user can have one."""
    host.start()
    saved(host)
    invoke(host, 3)
    kept = totals(host)
    limit = max(path.stat().st_size for path in (host.folder / "data").glob("kelvin.db*"))
    subprocess.run(["prlimit", f"--pid={host.process.pid}", f"--fsize={limit - 4096}"], check=True)
    poll(lambda: not grow(host) and store(host)["state"] == "failing", 60, "nothing can be written")
    count = totals(host)
    assert host.stop() == 1
    last = host.said().strip().splitlines()[-1]
    match = re.match(r"kelvin: (\d+) invocations? since \S+ could not be written to the store, and (is|are) in the journal", last)
    assert match and 0 < int(match[1]) <= count, last
    with host:
        assert totals(host) == count >= kept


def grow(host):
    return invoke(host, 20)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder):
    with open(folder / "filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass


@pytest.mark.root
@pytest.mark.parametrize("has_reserve", [True, False])
def test_a_full_disk_at_the_end(host, small_disk, has_reserve):
    # What the host says goes elsewhere.
    (small_disk / "data").mkdir()
    (host.folder / "data").symlink_to(small_disk / "data")
    host.start()
    saved(host)
    reserve = host.folder / "data" / "kelvin.reserve"
    assert reserve.stat().st_size >= 65536
    if not has_reserve:
        reserve.unlink()
    fill(small_disk)
    # What is in the log's file already needs no room: until all of it is used.
    poll(lambda: not grow(host) and store(host)["state"] == "failing", 60, "the disk is full")
    count = totals(host)
    code = host.stop()
    last = host.said().strip().splitlines()[-1]
    (small_disk / "filler").unlink()
    if has_reserve:
        assert code == 0, host.said()
        lost = 0
    else:
        assert code == 1, host.said()
        kept = int(re.match(r"kelvin: (\d+) invocations? .* (is|are) in the journal, .*no space", last)[1])
        assert kept > 0
        lost = 0
    with host:
        assert totals(host) + lost == count


def test_a_damaged_log_is_told_with_what_it_lost(host):
    data = host.folder / "data"
    host.start()
    saved(host)
    early = (data / "kelvin.db-wal").stat().st_size
    for _ in range(3):
        invoke(host, 5)
        saved(host)
    count = totals(host)
    host.stop(signal.SIGKILL)
    log = data / "kelvin.db-wal"
    content = bytearray(log.read_bytes())
    assert len(content) > early
    for position in range(early + 40, early + 80):
        content[position] ^= 0xFF
    log.write_bytes(content)
    shutil.copytree(data, host.folder / "copy")
    shutil.rmtree(data / "journal")
    with host:
        said = store(host)
        assert said["state"] == "incomplete"
        lost = int(re.search(r"is lost, with (\d+) invocations?", said["problem"])[1])
        assert lost > 0 and totals(host) + lost == count
        assert re.search(r"between 20\S+Z and 20\S+Z is lost", said["problem"])
        assert host.metrics()("kelvin_store_lost_checkpoints_total") >= 1
        assert "missing in the store" in host.said()
    # The journal has what the log of the database lost.
    shutil.rmtree(data)
    (host.folder / "copy").rename(data)
    with host:
        assert totals(host) == count
        assert store(host)["state"] == "ok"


def test_edited_rows_never_show_less_than_nothing(host):
    with host:
        invoke(host, 3)
        count = totals(host)
    connection = sqlite3.connect(host.folder / "data" / "kelvin.db")
    with connection:
        connection.execute("DELETE FROM live")
        # Only starts are left of every timeline: a list of one edge at 1 s.
        start = bytearray(b"\x01\x01")
        edge = (1_000_000_000 << 3) | 4 | 2
        while edge >= 0x80:
            start.append(edge & 0x7F | 0x80)
            edge >>= 7
        start.append(edge)
        assert connection.execute("UPDATE timelines SET data = ?", (bytes(start),)).rowcount > 0
    connection.close()
    with host:
        assert totals(host) == count
        assert store(host)["state"] == "incomplete"
        assert host.metrics()("kelvin_store_damaged_rows_total") >= 1
        for window in host.windows("reports").list + host.windows().list:
            numbers = {name: value for name, value in window.items() if name.endswith("Max")}
            assert all(value >= 0 for value in numbers.values()), numbers
        assert "-1" not in json.dumps([window["concurrencyMax"] for window in host.windows().list])


def test_a_data_directory_is_its_owners_alone(host):
    with host:
        saved(host)
        data = host.folder / "data"
        assert data.stat().st_mode & 0o777 == 0o700
        for path in data.glob("kelvin.*"):
            assert path.stat().st_mode & 0o077 == 0, path
