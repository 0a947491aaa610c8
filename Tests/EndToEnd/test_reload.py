"""A changed kelvin.yaml is taken over while the host runs."""
import json
import signal
import threading

import pytest

from kelvin_host import poll, python_function, request


@pytest.fixture
def host(hosts):
    return hosts({
        "orders": python_function(reserved=1, timeout="20s", environment={"STAGE": "one"}),
        "old": python_function(memory=256),
    }).start()


class File:
    """The host's kelvin.yaml, for changing it."""

    def __init__(self, host):
        self.path = host.folder / "kelvin.yaml"
        self.document = json.loads(self.path.read_text())
        self.functions = self.document["functions"]

    def write(self):
        self.path.write_text(json.dumps(self.document, indent=2))


def reload(host):
    answer = host.run("reload", "--output", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def stage(host):
    return host.invoke("orders", {"do": "environment"}).json()["STAGE"]


def test_functions_come_go_and_change_while_an_invocation_runs_on(host):
    assert stage(host) == "one" and host.invoke("old", {}).status == 200
    answers = []
    running = threading.Thread(target=lambda: answers.append(host.invoke("orders", {"do": "sleep", "ms": 3000})))
    running.start()
    poll(lambda: host.metrics()("lambda_concurrent_executions", function="orders") == 1, 10, "it runs")

    file = File(host)
    mark = file.functions["orders"]["environment"]
    file.functions["orders"]["environment"] = {**mark, "STAGE": "two"}
    file.functions["mailer"] = python_function(provisioned=1, environment=mark)
    del file.functions["old"]
    file.write()
    said = reload(host)
    assert said["functions"] == {
        "added": ["mailer"], "changed": ["orders"], "adjusted": [], "removed": ["old"], "unchanged": 0}
    assert said["needRestart"] == []

    # The reserve holds over the change: the old execution has the one slot.
    assert host.invoke("orders", {}).status == 429
    running.join()
    assert answers[0].status == 200 and answers[0].json()["did"] == "sleep", answers
    assert stage(host) == "two"

    assert host.invoke("old", {}).status == 404
    assert host.url("old").status == 404
    metrics = host.metrics()
    assert metrics.get("lambda_function_info", function="old") is None
    assert metrics.get("lambda_memory_limit_bytes", function="old") is None
    assert metrics("lambda_invocations_total", function="old", trigger="direct") == 1, "counts stay"
    table = host.run("status").stdout
    assert "functions: 2" in table and "\nmailer " in table and "\norders " in table and "\nold " not in table, table
    poll(lambda: host.metrics()("lambda_provisioned_concurrency", function="mailer", state="available") == 1, 20, "ready")
    assert host.url("mailer").status == 200
    assert host.metrics()("lambda_provisioned_invocations_total", function="mailer") == 1

    # It comes back, as a function that was never there.
    file.functions["old"] = python_function(memory=512, environment=mark)
    file.functions["mailer"]["provisioned"] = 2
    file.write()
    host.process.send_signal(signal.SIGHUP)
    poll(lambda: host.invoke("old", {}).status == 200, 10, "the function is back")
    assert host.metrics()("lambda_memory_limit_bytes", function="old") == 512 << 20
    poll(lambda: host.metrics()("lambda_provisioned_concurrency", function="mailer", state="available") == 2, 20, "two")
    assert "mailer has other limits" in host.said()


def test_a_bad_file_changes_nothing_and_says_why(host):
    assert stage(host) == "one"
    file = File(host)
    file.functions["orders"]["environment"]["STAGE"] = "two"
    file.functions["orders"]["memori"] = 256
    file.write()
    answer = host.run("reload")
    assert answer.returncode == 1
    assert "memori" in answer.stderr and "kelvin.yaml:" in answer.stderr and "nothing changed" in answer.stderr
    answer = request(host.agent, "POST", "/-/reload")
    assert answer.status == 500 and "memori" in answer.json()["error"]["problems"][0]
    host.process.send_signal(signal.SIGHUP)
    poll(lambda: "The configuration was not reloaded." in host.said(), 10, "the log says it")
    assert stage(host) == "one"

    # A file that is right by itself, and contradicts what a caller has set since.
    assert host.run("reserved", "800", "--function", "orders").returncode == 0
    del file.functions["orders"]["memori"]
    file.functions["old"]["reserved"] = 200
    file.write()
    answer = host.run("reload")
    assert answer.returncode == 1 and "must stay unreserved" in answer.stderr, answer.stderr
    assert stage(host) == "one"
    assert host.metrics().get("lambda_reserved_concurrency", function="old") is None

    # No page of another origin may ask for it, and nothing but POST does it.
    assert request(host.host, "POST", "/-/reload", headers={"Origin": "http://evil.example"}).status == 403
    assert request(host.agent, "POST", "/-/reload", headers={"Origin": "http://evil.example"}).status == 403
    assert request(host.agent, "GET", "/-/reload").status == 405


def test_what_was_set_by_a_caller_stays_and_what_needs_a_restart_is_said(host):
    assert host.run("reserved", "3", "--function", "orders").returncode == 0
    file = File(host)
    file.document["agent"]["window"] = "20s"
    file.document["host"]["accountConcurrency"] = 500
    file.functions["orders"]["timeout"] = "7s"
    file.write()
    answer = host.run("reload")
    assert answer.returncode == 0, answer.stderr
    assert "orders changed" in answer.stdout and "host.accountConcurrency is as the file says now" in answer.stdout and "A restart is needed for agent.window." in answer.stdout
    metrics = host.metrics()
    assert metrics("lambda_reserved_concurrency", function="orders") == 3
    assert metrics("lambda_timeout_seconds", function="orders") == 7
    assert metrics("lambda_account_concurrency_limit") == 500
    # A caller's memory gives way where the file has another one than before.
    function = "/2015-03-31/functions/orders/configuration"
    assert request(host.host, "PUT", function, json.dumps({"MemorySize": 192})).status == 200
    file.functions["orders"]["reserved"] = 2
    file.document["schedules"] = {"nightly": {"function": "orders", "expression": "cron(0 3 * * ? *)"}}
    file.write()
    said = reload(host)
    assert said["functions"]["adjusted"] == ["orders"] and said["eventSources"] == ["schedule nightly"]
    assert "nightly" in host.run("schedule", "list").stdout
    assert request(host.host, "GET", function).json()["MemorySize"] == 192
    file.functions["orders"]["memory"] = 256
    file.write()
    assert reload(host)["functions"]["changed"] == ["orders"]
    assert request(host.host, "GET", function).json()["MemorySize"] == 256
    # A function that something still needs stays, and the file is refused.
    file.functions["other"] = file.functions.pop("orders")
    file.write()
    assert 'there is no function "orders"' in host.run("reload").stderr
    assert host.metrics()("lambda_reserved_concurrency", function="orders") == 2
