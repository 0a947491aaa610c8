"""A disk that fills and empties under load: readers and callers are answered all the time, and in the end everything is counted."""
import os
import random
import subprocess

import pytest

from counters import Watch
from kelvin_host import poll, python_function, request
from test_attacks_disk import fill

ROUNDS = max(2, int(os.environ.get("KELVIN_FAULTS", "20")) // 5)
SEED = int(os.environ.get("KELVIN_SEED", "1"))


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.root
def test_fills_and_empties(hosts, disk):
    choose = random.Random(SEED)
    host = hosts({"reports": python_function(reserved=2)}, window="5s")
    (disk / "data").mkdir()
    (host.folder / "data").symlink_to(disk / "data")
    host.start()
    watch = Watch()
    count = 0
    for _ in range(ROUNDS):
        fill(disk)
        for _ in range(choose.randrange(50, 300)):
            assert host.invoke("reports", {"do": "ok"}).status == 200
            count += 1
        watch.look(host.metrics())
        assert host.windows("reports", range="12h").total("invocations") == count
        (disk / "filler").unlink()
        poll(lambda: request(host.agent, "GET", "/api/v1/status").json()["store"]["state"] == "ok", 30, "it is saved again")
        watch.look(host.metrics())
    assert host.metrics()("lambda_invocations_total", function="reports", trigger="direct") == count
    assert not watch.problems, watch.problems
    assert host.stop() == 0
    with host:
        assert host.metrics()("lambda_invocations_total", function="reports", trigger="direct") == count
