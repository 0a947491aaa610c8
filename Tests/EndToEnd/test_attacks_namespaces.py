"""A second host in another process namespace, groups that somebody removes, and what the host itself cannot do: functions go on."""
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import leftovers
from kelvin_host import poll, python_function


def functions():
    return {"hog": python_function("hog.handler", timeout="20s", memory=128)}


def wrapped(kelvin, folder, *command):
    """A program that runs kelvin by another one."""
    script = folder / "kelvin-wrapped"
    script.write_text(f"#!/bin/sh\nexec {' '.join(command)} {kelvin} \"$@\"\n")
    script.chmod(0o755)
    return script


def homes():
    return {path for path in leftovers.control_groups() if leftovers.is_held(path)}


@pytest.fixture
def first(hosts):
    before = homes()
    host = hosts(functions()).start()
    if not host.isolation()["memory"].startswith("control-group"):
        pytest.skip("this machine lets nobody make control groups")
    host.homes = homes() - before
    yield host
    host.stop()


@pytest.mark.root
def test_a_host_in_another_process_namespace_leaves_a_live_host_s_groups_alone(kelvin, hosts, first, tmp_path):
    instance = first.invoke("hog", {}).json()["instance"]
    second = hosts(functions())
    second.binary = str(wrapped(kelvin, tmp_path, "unshare", "-pf", "--mount-proc", "--kill-child"))
    second.start()
    assert second.invoke("hog", {}).json()["did"] == "ok"
    assert first.homes <= homes()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: first.invoke("hog", {"do": "sleep", "ms": 300}), range(4)))
    assert [answer.headers.get("X-Amz-Function-Error") for answer in answers] == [None] * 4
    assert instance in {answer.json()["instance"] for answer in answers}
    assert first.isolation()["memory"].startswith("control-group")
    assert first.metrics()("lambda_crashes_total", function="hog") == 0
    # The other way round, what the second leaves is removed by whoever comes next.
    second.stop(signal.SIGKILL)
    hosts(functions()).start().stop()
    poll(lambda: not leftovers.found(), 20, lambda: f"left: {leftovers.found()}")
    assert first.invoke("hog", {}).json()["did"] == "ok"


@pytest.mark.root
def test_a_group_that_somebody_removed_is_made_again(first):
    # A crash would leave the environment, and its group, to the next instance.
    assert first.invoke("hog", {"do": "memory"}).headers["X-Amz-Function-Error"] == "Unhandled"
    crashes = first.metrics()("lambda_crashes_total", function="hog")
    for home in first.homes:
        poll(lambda: not [path for path in home.iterdir() if path.is_dir()], 20, "the instance's group is gone")
        os.rmdir(home)
    before = homes()
    assert first.invoke("hog", {}).json()["did"] == "ok"
    assert len(homes() - before) == len(first.homes)
    assert first.isolation()["memory"].startswith("control-group")
    assert first.metrics()("lambda_crashes_total", function="hog") == crashes


@pytest.mark.root
def test_groups_that_are_refused_make_isolation_weaker_and_that_is_told(kelvin, hosts, first, tmp_path):
    first.stop()
    host = hosts(functions())
    # In a mount namespace of its own, so that its groups can be made read-only under it.
    host.binary = str(wrapped(kelvin, tmp_path, "unshare", "-m"))
    host.start()
    enforced = host.isolation()

    def remount(how):
        for line in Path(f"/proc/{host.process.pid}/mountinfo").read_text().splitlines():
            if " - cgroup" in line:
                subprocess.run(
                    ["nsenter", "-m", "-t", str(host.process.pid), "mount", "-o", f"remount,bind,{how}", line.split(" ")[4]],
                    check=True)

    remount("ro")
    assert host.invoke("hog", {}).json()["did"] == "ok"
    assert host.isolation()["memory"] == "sampling"
    assert "memory is limited by sampling" in host.isolation()["shortcomings"][-1]
    assert "Read-only file system" in host.said()
    assert "memory is limited by sampling" in host.run("status").stdout
    remount("rw")
    host.invoke("hog", {"do": "exit"})
    assert host.invoke("hog", {}).json()["did"] == "ok"
    assert host.isolation() == enforced
    assert "Control groups work again" in host.said()
    host.stop()


def test_a_failure_of_the_host_s_own_is_no_crash_of_the_function_and_heals(hosts, tmp_path, monkeypatch):
    base = tmp_path / "temporary"
    base.mkdir()
    # Everybody may rename what others have there: no place for a folder of the host's.
    base.chmod(0o777)
    monkeypatch.setenv("TMPDIR", str(base))
    host = hosts(functions(), isolation="none").start()
    answer = host.invoke("hog", {})
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (500, "ServiceException")
    assert "chmod +t" in answer.json()["Message"] and "X-Amz-Function-Error" not in answer.headers
    assert host.url("hog").status == 500
    base.chmod(0o1777)
    assert host.invoke("hog", {}).json()["did"] == "ok"
    metrics = host.metrics()
    assert metrics("lambda_crashes_total", function="hog") == 0
    assert metrics("lambda_errors_total", function="hog") == 2
    host.stop()
