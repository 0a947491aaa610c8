"""`kelvin host --agent URL`: host and agent as two processes show what one process shows."""
import concurrent.futures
import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kelvin_host import ORDERS_FILE, poll, python_function, request
from test_access import READER, SENDER, Agent, tokens
from test_https import certificate

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
    assert f"events could not be sent to the agent at http://{agent.agent}" in host.said()
    assert "events did not reach the agent" in host.said()


def test_a_file_keeps_what_the_agent_does_not_take_for_the_next_host(hosts, agent, tmp_path):
    address = agent.agent
    agent.stop()
    spill = tmp_path / "events.spill"
    options = ["--spill-file", str(spill)]
    first = hosts({"orders": python_function(timeout="20s")}, reports_to=address, options=options)
    first.is_ready = lambda: True
    first.start()
    for _ in range(3):
        assert first.invoke("orders", {"do": "ok"}).status == 200
    assert first.stop(seconds=40) == 0
    assert "dropped" not in first.said() and "are kept" in first.said()
    assert spill.stat().st_size > 0 and spill.stat().st_mode & 0o777 == 0o600
    agent.start()
    second = hosts({"orders": python_function(timeout="20s")}, reports_to=address, options=options).start()
    assert second.invoke("orders", {"do": "ok"}).status == 200
    assert second.stop() == 0
    assert agent.metrics().total("lambda_invocations_total", function="orders") == 4
    assert spill.stat().st_size == 0
    assert {source["missingBatches"] for source in request(agent.agent, "GET", "/api/v1/sources").json()["sources"]} == {0}


def test_events_go_over_tls_with_a_token(kelvin, hosts, tmp_path, monkeypatch):
    folder = tmp_path / "agent"
    folder.mkdir()
    certified = certificate(folder, "agent")
    (folder / "web.yml").write_text(f"tls_server_config: {{cert_file: {certified}, key_file: {certified}}}\n")
    agent = Agent(folder, [f"tokenFile: {tokens(folder)}", f"webConfigFile: {folder}/web.yml"])
    try:
        sender = folder / "sender"
        sender.write_text(SENDER)
        monkeypatch.setenv("KELVIN_TOKEN_FILE", str(sender))
        monkeypatch.setenv("KELVIN_CA_FILE", certified)
        host = hosts({"orders": python_function(timeout="20s")}, reports_to=f"https://{agent.address}")
        host.is_ready = lambda: True
        host.start()
        for _ in range(3):
            assert host.invoke("orders", {"do": "ok"}).status == 200
        assert host.stop() == 0
        assert "could not be sent" not in host.said() and SENDER not in host.said()
        reader = folder / "reader"
        reader.write_text(READER)
        table = subprocess.run(
            [kelvin, "status", "--agent", f"https://{agent.address}", "--output", "json"], timeout=60, capture_output=True, text=True,
            env=dict(os.environ, KELVIN_TOKEN_FILE=str(reader)))
        assert table.returncode == 0, table.stderr
        functions = json.loads(table.stdout)["functions"]
        assert [function["function"] for function in functions] == ["orders"]
    finally:
        agent.stop()


def test_a_file_for_events_needs_an_agent_elsewhere(kelvin, tmp_path):
    (tmp_path / "kelvin.yaml").write_text("functions: {f: {command: ['true']}}")
    outcome = subprocess.run(
        [kelvin, "host", "--spill-file", "x"], cwd=tmp_path, timeout=60, capture_output=True, text=True)
    assert outcome.returncode == 64 and "--agent" in outcome.stderr, outcome


@pytest.mark.parametrize("address, sentence", [
    ("https://127.0.0.1:1/path", "has a path"), ("nowhere:x", "is not an address"),
])
def test_the_address_of_the_agent_must_be_one(kelvin, tmp_path, address, sentence):
    (tmp_path / "kelvin.yaml").write_text("functions: {f: {command: ['true']}}")
    outcome = subprocess.run(
        [kelvin, "host", "--agent", address], cwd=tmp_path, timeout=60, capture_output=True, text=True)
    assert outcome.returncode == 64 and sentence in outcome.stderr, outcome


class RuntimeAPI(BaseHTTPRequestHandler):
    """Hands out events, and takes their answers: what a function needs of AWS."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        request_id, path = event
        body = json.dumps({"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": {}, "isBase64Encoded": False,
                           "requestContext": {"http": {"method": "GET", "path": path}}}).encode()
        self.send_response(200)
        for name, value in [("Lambda-Runtime-Aws-Request-Id", request_id), ("Content-Length", str(len(body))),
                            ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + self.server.milliseconds))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.answered.append(self.path.split("/")[-1])
        self.send_response(202 if "/runtime/" in self.path else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def alone(environment, milliseconds=60_000):
    """A Swift function that no host of Kelvin's runs, and its Runtime API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeAPI)
    server.daemon_threads, server.events, server.answered, server.milliseconds = True, queue.Queue(), [], milliseconds
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    process = subprocess.Popen(
        [str(ORDERS_FILE)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}", "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", **environment})
    try:
        yield server, process
    finally:
        process.kill()
        process.wait(10)
        server.events.put(None)
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_swift_function_tells_an_agent_of_itself(agent):
    with alone({"KELVIN_REPORT_TO": f"http://{agent.agent}",
                "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/30/[$LATEST]0f3c9a5e3d414b6f8a52d1b7c0e91a24"}) as (server, process):
        paths = ["/"] * 6 + ["/error", "/"]
        for path in paths:
            server.events.put((str(uuid.uuid4()), path))
        poll(lambda: agent.metrics().total("lambda_invocations_total") == 8, 20, lambda: f"the agent hears of all: {server.answered}")
        metrics = agent.metrics()
        assert metrics("lambda_instances", function="orders", state="idle") == 1
        process.terminate()
        assert process.wait(10) == 0
    metrics = agent.metrics()
    assert metrics.total("lambda_errors_total", function="orders") == 1
    assert metrics.total("lambda_cold_starts_total", function="orders") == 1
    assert metrics.total("lambda_initializations_total", function="orders") == 1
    assert metrics.total("lambda_warmup_duration_seconds_count", function="orders") == 1
    assert metrics.total("lambda_instance_stops_total", reason="shutdown") == 1
    assert metrics("lambda_instances", function="orders", state="idle") == 0
    windows = request(agent.agent, "GET", "/api/v1/windows?function=orders&range=1h").json()["windows"]
    assert max(window["concurrencyMax"] for window in windows) == 1
    assert sum(window["invocations"] for window in windows) == 8


def test_a_swift_function_that_times_out_tells_it(agent):
    with alone({"KELVIN_REPORT_TO": agent.agent}, milliseconds=300) as (server, process):
        server.events.put((str(uuid.uuid4()), "/slow"))
        poll(lambda: agent.metrics().total("lambda_timeouts_total", source="handler") == 1, 20, "the agent hears of it")


@pytest.mark.parametrize("address, sentence", [("https://127.0.0.1:1", "no address of an agent"), ("127.0.0.1:1", "")])
def test_a_swift_function_serves_whatever_its_agent_does(address, sentence):
    with alone({"KELVIN_REPORT_TO": address}) as (server, process):
        ids = [str(uuid.uuid4()) for _ in range(50)]
        for request_id in ids:
            server.events.put((request_id, "/"))
        poll(lambda: server.answered.count("response") == 50, 20, lambda: f"all are answered: {server.answered}")
        process.terminate()
        assert process.wait(10) == 0
        assert sentence in process.stdout.read()
