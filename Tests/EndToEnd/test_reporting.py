"""`kelvin host --agent URL`: host and agent as two processes show what one process shows."""
import concurrent.futures
import json
import signal
import subprocess
import time

import pytest

from kelvin_host import poll, python_function, request

# Of these, every sample must be the same.
COUNTED = {
    "lambda_invocations_total", "lambda_errors_total", "lambda_timeouts_total", "lambda_throttles_total", "lambda_crashes_total",
    "lambda_cold_starts_total", "lambda_initializations_total", "lambda_instance_stops_total", "lambda_reserved_concurrency",
    "lambda_memory_limit_bytes", "lambda_timeout_seconds", "lambda_invocation_duration_seconds_count",
}


def functions():
    return {
        "orders": python_function(timeout="20s"),
        "paused": python_function(reserved=0),
        "brittle": python_function(timeout="1s", reserved=1),
    }


@pytest.fixture
def agent(hosts):
    """An agent that has its port again after a restart."""
    made = hosts({"unused": {"command": ["true"]}}, command="agent").start()
    path = made.folder / "kelvin.yaml"
    configuration = json.loads(path.read_text())
    configuration["agent"]["listen"] = made.agent
    path.write_text(json.dumps(configuration))
    return made


def live_through(host):
    """Successes, an error, a crash, a timeout and throttles, one after the other, so that each run has the same."""
    for _ in range(5):
        assert host.invoke("orders", {"do": "ok"}).status == 200
    assert host.invoke("orders", {"do": "error"}).status == 200
    for _ in range(3):
        assert host.invoke("paused", {"do": "ok"}).status == 429
    assert host.invoke("brittle", {"do": "ok"}).status == 200
    assert host.invoke("brittle", {"do": "exit"}).status == 200
    assert host.invoke("brittle", {"do": "sleep", "ms": 5000}).status == 200
    assert host.invoke("brittle", {"do": "ok"}).status == 200


def counts(metrics):
    return {key: value for key, value in metrics.values.items() if key[0] in COUNTED}


def test_two_processes_show_what_one_shows(hosts, agent):
    together = hosts(functions()).start()
    live_through(together)
    apart = hosts(functions(), reports_to=agent.agent).start()
    live_through(apart)
    poll(lambda: agent.metrics().total("lambda_invocations_total") >= 10, 10, "the agent has heard of all")
    expected, found = counts(together.metrics()), counts(agent.metrics())
    assert len(expected) > 50 and found == expected, set(found.items()) ^ set(expected.items())
    assert apart.stop() == 0
    metrics = agent.metrics()
    assert metrics("lambda_instances", function="orders", state="idle") == 0, "the last events came, too"
    assert metrics.total("lambda_instance_stops_total", reason="shutdown") >= 2
    sources = request(agent.agent, "GET", "/api/v1/sources").json()["sources"]
    assert len(sources) == 1 and sources[0]["rejected"] == 0 and sources[0]["missingBatches"] == 0


def test_no_event_is_lost_or_counted_twice_when_the_agent_is_killed_again_and_again(hosts, agent):
    host = hosts({"orders": python_function(timeout="20s")}, reports_to=agent.agent).start()
    assert host.invoke("orders", {"do": "ok"}).status == 200
    answered = 1
    with concurrent.futures.ThreadPoolExecutor(8) as callers:
        for _ in range(3):
            pending = [callers.submit(host.invoke, "orders", {"do": "ok"}) for _ in range(100)]
            time.sleep(0.05)
            agent.process.send_signal(signal.SIGKILL)
            agent.process.wait(10)
            answered += sum(one.result().status == 200 for one in pending)
            agent.start()
    assert answered == 301, "no caller notices that the agent is gone"
    assert host.stop() == 0
    assert agent.metrics().total("lambda_invocations_total", function="orders") == 301
    assert request(agent.agent, "GET", "/api/v1/status").json()["account"]["concurrentExecutions"] == 0


def test_a_host_works_without_its_agent_and_says_what_it_lost(hosts, agent):
    agent.stop()
    host = hosts({"orders": python_function(timeout="20s")}, reports_to=agent.agent)
    host.is_ready = lambda: True
    host.start()
    for _ in range(3):
        assert host.invoke("orders", {"do": "ok"}).status == 200
    assert host.stop(seconds=40) == 0
    assert f"events could not be sent to the agent at {agent.agent}" in host.said()
    assert "events did not reach the agent" in host.said()


@pytest.mark.parametrize("address, sentence", [
    ("https://127.0.0.1:1", "over plain HTTP only"), ("nowhere:x", "is not an address"),
])
def test_the_address_of_the_agent_must_be_one(kelvin, tmp_path, address, sentence):
    (tmp_path / "kelvin.yaml").write_text("functions: {f: {command: ['true']}}")
    outcome = subprocess.run(
        [kelvin, "host", "--agent", address], cwd=tmp_path, timeout=60, capture_output=True, text=True)
    assert outcome.returncode == 64 and sentence in outcome.stderr, outcome
