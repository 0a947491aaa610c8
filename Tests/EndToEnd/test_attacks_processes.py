"""Functions that fork without end, and take all files: they harm themselves alone. What is asked depends on what the host enforces."""
import os
import time

import pytest

from kelvin_host import poll, processes_with, python_function

pytestmark = pytest.mark.both

MOST = 1500


@pytest.fixture(scope="module")
def host(hosts):
    host = hosts({
        "bomb": python_function("bomb.handler", memory=4096, timeout="60s"),
        "other": python_function("bomb.handler", timeout="20s"),
    }).start()
    host.invoke("other", {})
    return host


def limited(host):
    if "1024 processes" not in host.isolation()["summary"]:
        assert any("processes and threads is not limited" in text for text in host.isolation()["shortcomings"])
        pytest.skip("this machine limits processes for nobody")


def test_threads_are_limited_to_what_aws_allows(host):
    limited(host)
    count = host.invoke("bomb", {"do": "threads", "most": MOST}).json()["count"]
    # The runtime is one of the 1,024, and has threads of its own.
    assert 1000 < count < 1024


def test_a_fork_bomb_harms_nobody_else(host):
    limited(host)
    other = host.invoke("other", {}).json()["instance"]
    answer = host.invoke("bomb", {"do": "fork", "most": MOST}).json()
    assert answer.get("errno") == "EAGAIN" and answer["count"] < 1024, answer
    assert 900 < len(processes_with(host.mark)) <= 1026, "all of them are the bomb's, but for the neighbour"
    begin = time.monotonic()
    assert host.invoke("other", {}).json()["instance"] == other, "the neighbour goes on"
    assert time.monotonic() - begin < 10
    # What another function may have is not what this one took.
    assert host.invoke("other", {"do": "threads", "most": 100}).json()["count"] == 100
    assert host.process.poll() is None


def test_all_of_a_bomb_ends_with_its_instance(host):
    limited(host)
    host.invoke("bomb", {"do": "fork", "most": MOST})
    assert host.stop() == 0
    assert not processes_with(host.mark)
    host.start()


def test_open_files_are_limited_to_what_aws_allows(host):
    answer = host.invoke("other", {"do": "files", "most": MOST}).json()
    assert answer["limits"] == [1024, 1024], "a function cannot raise it"
    assert answer["errno"] == "EMFILE" and 900 < answer["count"] < 1024


def test_a_function_is_its_user_and_has_no_rights_beyond(host):
    answer = host.invoke("other", {"do": "who"}).json()
    assert (answer["uid"], answer["gid"]) == (os.geteuid(), os.getegid())
    if os.geteuid() != 0:
        for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert answer["capabilities"][name] == 0, name
    if host.isolation()["processes"] == "namespace":
        assert answer["pid"] < 10
    poll(lambda: host.invoke("other", {}).status == 200, 10, "it goes on")


def test_what_an_ordinary_user_does_not_get_is_said_once(host):
    if os.geteuid() == 0:
        pytest.skip("root gets all")
    said = host.said().count("an ordinary user gets no control groups")
    assert said == (1 if host.isolation()["memory"] == "sampling" else 0)
