"""Instances are kept apart from each other, and leave nothing behind. What is asked depends on what the host enforces."""
import errno
import json
import signal

import pytest

import leftovers
from kelvin_host import poll, processes_with, python_function

pytestmark = pytest.mark.both

MEGABYTE = 1 << 20


@pytest.fixture(scope="module", params=["auto", "none"])
def host(request, hosts):
    functions = {
        "hog": python_function("hog.handler", memory=128, temporaryStorage="64MB", timeout="20s"),
        "other": python_function("hog.handler", memory=128, timeout="20s"),
    }
    return hosts(functions, isolation=request.param).start()


def test_says_what_is_enforced(host):
    isolation = host.isolation()
    assert isolation["memory"] in ("control-group-v1", "control-group-v2", "sampling")
    assert isolation["processes"] in ("namespace", "groups")
    assert isolation["summary"] in host.said(), "at start"
    for shortcoming in isolation["shortcomings"]:
        assert shortcoming in host.said()
    weaker = isolation["memory"] == "sampling" or isolation["temporaryStorage"] == "folder" or \
        isolation["processes"] == "groups"
    assert weaker == bool(isolation["shortcomings"]), "each weakness has its reason"
    shown = host.run("status", "--agent", f"http://{host.agent}")
    assert shown.returncode == 0 and f"isolation: {isolation['summary']}" in shown.stdout


def test_out_of_memory_ends_the_instance_and_no_other(host):
    other = host.invoke("other", {"do": "ok"}).json()["instance"]
    before = host.metrics().get("lambda_out_of_memory_total", function="hog") or 0
    answer = host.invoke("hog", {"do": "memory"})
    assert answer.status == 200 and answer.headers["X-Amz-Function-Error"] == "Unhandled"
    document = answer.json()
    assert document["errorType"] == "Runtime.ExitError"
    assert document["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert host.url("hog", "/?do=memory").status == 502
    poll(
        lambda: host.metrics().get("lambda_out_of_memory_total", function="hog") == before + 2, 20, "both are counted")
    assert host.invoke("hog", {"do": "ok"}).json()["did"] == "ok", "the next has a new instance"
    assert host.invoke("other", {"do": "ok"}).json()["instance"] == other, "the neighbour is as it was"


def test_temporary_storage_has_its_size_and_lasts_as_long_as_the_instance(host):
    if host.isolation()["temporaryStorage"] == "file-system":
        # More than half of the memory limit: what is in /tmp is no memory.
        answer = host.invoke("hog", {"do": "fill", "megabytes": 100, "keep": "yes"}).json()
        assert answer["errno"] == errno.ENOSPC and 63 * MEGABYTE < answer["written"] <= 64 * MEGABYTE
        assert host.invoke("other", {"do": "fill", "megabytes": 100}).json() == {"errno": 0, "written": 100 * MEGABYTE}
        assert host.invoke("hog", {"do": "fill", "megabytes": 100}).json()["errno"] == errno.ENOSPC, "and goes on"
    else:
        assert host.invoke("other", {"do": "fill", "megabytes": 100}).json() == {"errno": 0, "written": 100 * MEGABYTE}
        host.invoke("hog", {"do": "fill", "megabytes": 100, "keep": "yes"})
        poll(lambda: "more temporary files than its limit" in host.said(), 30, "the quota is checked")
    counts = [host.invoke("other", {"do": "remember"}).json()["count"] for _ in range(2)]
    assert counts == [1, 2]


def test_a_function_sees_nothing_of_the_host(host):
    answer = host.invoke("other", {"do": "environment"}).json()
    assert answer["variables"]["AWS_LAMBDA_FUNCTION_NAME"] == "other"
    for name in ("KELVIN_BUILD", "PYTEST_CURRENT_TEST", "KELVIN_LAUNCHER", "VIRTUAL_ENV", "OLDPWD"):
        assert name not in answer["variables"]
    strangers = [path for path in answer["descriptors"]
                 if not path.startswith(("/dev/null", "pipe:", "socket:", "/proc/", "anon_inode:[eventp"))]
    assert strangers == []


def test_children_with_sessions_of_their_own_end_with_their_instance(host):
    before = set(processes_with(host.mark))
    assert host.invoke("hog", {"do": "fork"}).status == 200
    poll(lambda: len(set(processes_with(host.mark)) - before) >= 3, 20, "there are children")
    host.invoke("hog", {"do": "exit"})
    # What is left: at most the instance of the neighbour.
    poll(lambda: len(processes_with(host.mark)) <= 2, 20, lambda: f"children end: {processes_with(host.mark)}")


@pytest.mark.parametrize("isolation", ["auto", "none"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(hosts, isolation, number):
    functions = {"hog": python_function("hog.handler", memory=256, timeout="20s")}
    host = hosts(functions, isolation=isolation).start()
    for event in ({"do": "fork"}, {"do": "fill", "megabytes": 20, "keep": "yes"}):
        assert host.invoke("hog", event).status == 200
    host.stop(number)
    if number == signal.SIGKILL:
        # What a killed host cannot remove, the next one does.
        next_host = hosts({"hog": python_function("hog.handler")}, isolation=isolation).start()
        assert json.loads(next_host.invoke("hog", {}).body)["did"] == "ok"
        next_host.stop()
    poll(lambda: not leftovers.found(), 20, lambda: f"left: {leftovers.found()}")
