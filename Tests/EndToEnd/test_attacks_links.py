"""Links, exchanged folders and deep trees, planted where the host makes and removes what is its own: nothing else is ever touched."""
import ctypes
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import leftovers
from kelvin_host import poll, python_function

NOBODY = 65_534


@pytest.fixture
def target(tmp_path):
    """What no removal may reach."""
    folder = tmp_path / "target"
    (folder / "below").mkdir(parents=True)
    for name in ("kept", "below/kept"):
        (folder / name).write_text("precious")
    yield folder
    for name in ("kept", "below/kept"):
        assert (folder / name).read_text() == "precious", "the target was touched"


@pytest.fixture
def base(tmp_path):
    """Where the host makes its folder: open to everybody, as /tmp is."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture
def host(hosts, base, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(base))
    # Not started: what is planted comes first.
    return hosts({"links": python_function("links.handler", timeout="20s")}, isolation="none")


def hosts_name():
    return "kelvin-" + uuid.uuid4().hex


@pytest.mark.parametrize("what", ["link", "exchange", "inside"])
def test_a_function_that_puts_links_in_the_place_of_its_folder(host, base, target, what):
    host.start()
    folder = Path(host.invoke("links", {"do": what, "target": str(target)}).json()["folder"])
    assert folder.parent.parent == base
    host.stop()
    poll(lambda: not list(base.iterdir()), 20, lambda: f"all is removed: {list(base.iterdir())}")


def test_a_tree_deeper_than_there_are_descriptors_is_removed(hosts, monkeypatch):
    # In memory, because some file systems take milliseconds for each folder that is removed.
    base = Path("/dev/shm") / f"kelvin-test-{uuid.uuid4().hex}"
    base.mkdir(mode=0o700)
    monkeypatch.setenv("TMPDIR", str(base))
    host = hosts({"links": python_function("links.handler", timeout="20s")}, isolation="none").start()
    assert host.invoke("links", {"do": "deep", "depth": 10_000}).status == 200
    assert host.invoke("links", {"do": "pieces", "count": 100}).status == 200
    host.stop()
    poll(lambda: not list(base.iterdir()), 30, lambda: f"all is removed: {list(base.iterdir())}")
    base.rmdir()


def test_links_with_a_hosts_name_are_left_and_told(host, base, target):
    old = base / "kelvin-999999-1"
    new = base / hosts_name()
    for link in (old, new):
        link.symlink_to(target)
    stale = base / hosts_name()
    (stale / "left").mkdir(parents=True)
    stale.chmod(0o700)
    (stale / "left" / "link").symlink_to(target)
    host.start()
    poll(lambda: not stale.exists(), 20, "what a killed host has left is removed")
    poll(lambda: f"{new} is left alone" in host.said(), 20, host.said)
    assert old.is_symlink() and new.is_symlink()
    assert host.invoke("links", {}).status == 200
    host.stop()
    assert sorted(base.iterdir()) == sorted([old, new])


@pytest.mark.root
def test_a_folder_that_another_user_made_is_left_and_told(host, base, target):
    theirs = base / hosts_name()
    script = "import os, sys; os.setuid(%d); os.mkdir(sys.argv[1], 0o700); os.symlink(sys.argv[2], sys.argv[1] + '/link')"
    # Where the target lies nobody else may look.
    subprocess.run([sys.executable, "-S", "-c", script % NOBODY, theirs.name, str(target)], check=True, cwd=base)
    host.start()
    poll(lambda: f"{theirs} is left alone" in host.said(), 20, host.said)
    assert (theirs / "link").is_symlink()
    host.stop()


@pytest.mark.root
def test_a_mount_in_a_function_s_folder_keeps_what_it_shows(host, base, target):
    host.start()
    folder = host.invoke("links", {}).json()["folder"]
    mounted = Path(folder) / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", "--bind", str(target), str(mounted)], check=True)
    try:
        host.stop()
        assert (mounted / "kept").exists()
        poll(lambda: "is not removed" in host.said(), 20, host.said)
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


@pytest.mark.root
def test_exchanges_by_another_user_while_folders_are_removed(host, base, target):
    """An ordinary user who makes folders with a host's name and exchanges them for links, while a host of root's starts again and again."""
    stop = base / "stop"
    attacker = os.fork()
    if attacker == 0:
        try:
            os.chdir(base)
            os.setuid(NOBODY)
            exchange_for_ever(str(target), stop)
        finally:
            os._exit(0)
    try:
        for _ in range(3):
            host.start()
            assert host.invoke("links", {}).status == 200
            host.stop()
    finally:
        stop.touch()
        os.waitpid(attacker, 0)
    assert not [path for path in leftovers.of_hosts(base) if path.lstat().st_uid == 0]


def exchange_for_ever(target, stop):
    libc = ctypes.CDLL(None)
    names = [hosts_name() for _ in range(20)]
    os.symlink(target, "link")
    for name in names:
        os.mkdir(name, 0o700)
        for number in range(50):
            os.mkdir(f"{name}/{number}")
    while not stop.exists():
        for name in names:
            libc.renameat2(-100, name.encode(), -100, b"link", 2)
