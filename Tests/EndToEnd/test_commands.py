"""The commands that speak AWS's control plane, against the real host."""
import json
import os
import pty
import subprocess

import pytest

from kelvin_host import python_function
from moto_server import environment


@pytest.fixture(scope="module")
def host(hosts):
    return hosts({
        "orders": python_function(timeout="5s", memory=256),
        "broken": python_function(handler="app.nothing"),
    }).start()


@pytest.fixture
def kelvin_at(host, kelvin, tmp_path):
    """Runs a command against the host: exit code, standard output, standard error."""
    def run(*arguments, agent=False, **variables):
        where = ["--host-url", f"http://{host.host}"] + (["--agent", f"http://{host.agent}"] if agent else [])
        result = subprocess.run(
            [kelvin, *arguments, *where], cwd=tmp_path, timeout=120, capture_output=True, text=True,
            env=environment(**variables))
        return result.returncode, result.stdout, result.stderr
    return run


def test_reserved_pauses_a_function_and_gives_it_back(kelvin_at):
    name = ("--function", "orders")
    assert kelvin_at("reserved", *name) == (0, "orders: no reserve\n", "")
    assert kelvin_at("reserved", "0", *name) == (0, "orders: reserved 0 (paused)\n", "")
    code, output, messages = kelvin_at("invoke", "orders", '{"do": "ok"}')
    assert (code, output) == (1, "")
    assert "ReservedFunctionConcurrentInvocationLimitExceeded" in messages
    assert kelvin_at("reserve", "off", *name) == (0, "orders: no reserve\n", "")
    assert kelvin_at("invoke", "orders", '{"do": "ok"}')[0] == 0


def test_reserved_says_what_aws_says_about_too_much(kelvin_at):
    code, output, messages = kelvin_at("reserved", "950", "--function", "orders")
    assert (code, output) == (1, "")
    assert messages.endswith(
        ": Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100].\n")


def test_several_functions_are_listed(kelvin_at):
    code, output, messages = kelvin_at("reserved")
    assert (code, output) == (64, "")
    assert "broken" in messages and "orders" in messages


def test_provisioned_instances_are_there_before_any_request(host, kelvin_at):
    before = host.metrics().total("lambda_cold_starts_total", function="orders")
    code, output, messages = kelvin_at("provisioned", "3", "--function", "orders")
    assert (code, output) == (0, "orders:current: provisioned 3, allocated 3, available 3, ready\n"), messages
    assert "in progress" in messages
    code, output, _ = kelvin_at("provisioned", "--function", "orders", "--output", "json")
    assert json.loads(output) == {"function": "orders", "provisioned": [
        {"qualifier": "current", "requested": 3, "allocated": 3, "available": 3, "status": "READY"}]}
    code, output, messages = kelvin_at("status", "--output", "json", agent=True)
    assert (code, messages) == (0, "")
    orders = next(one for one in json.loads(output)["functions"] if one["function"] == "orders")
    assert orders["limits"]["provisioned"] == {"requested": 3, "allocated": 3, "available": 3, "status": "READY"}
    assert orders["instances"]["idle"] >= 3
    assert kelvin_at("invoke", "orders", '{"do": "ok"}')[0] == 0
    assert host.metrics().total("lambda_cold_starts_total", function="orders") == before
    assert kelvin_at("provisioned", "0", "--function", "orders") == (0, "orders: no provisioned concurrency\n", "")
    assert kelvin_at("provisioned", "--function", "orders") == (0, "orders: no provisioned concurrency\n", "")


def test_provisioned_concurrency_is_not_for_the_latest_version(kelvin_at):
    code, output, messages = kelvin_at("provisioned", "1", "--function", "orders", "--qualifier", "$LATEST")
    assert (code, output) == (1, "")
    assert messages.endswith(
        ": Provisioned Concurrency Configs cannot be applied to unpublished function versions.\n")


def test_instances_that_cannot_start_are_a_failure_with_a_reason(kelvin_at):
    code, output, messages = kelvin_at("provisioned", "1", "--function", "broken")
    assert (code, output) == (1, "")
    assert "The instances of broken:current cannot be started: FUNCTION_ERROR_INIT_FAILURE" in messages
    assert kelvin_at("provisioned", "off", "--function", "broken")[0] == 0


def test_status_shows_functions_limits_and_instances(host, kelvin_at):
    assert kelvin_at("reserved", "7", "--function", "broken")[0] == 0
    code, output, messages = kelvin_at("status", agent=True)
    assert (code, messages) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in output.split("\n\n")[1].splitlines()}
    assert rows["orders"][:6] == ["256", "MB", "5", "s", "512", "MB"]
    assert rows["broken"][6] == "7"
    assert "concurrent executions now: 0 of 1000, 993 unreserved" in output
    assert kelvin_at("reserved", "off", "--function", "broken")[0] == 0


def test_status_finds_the_host_of_its_agent(host, kelvin, tmp_path):
    result = subprocess.run(
        [kelvin, "status", "--agent", host.agent, "--output", "json"], cwd=tmp_path, timeout=60, capture_output=True,
        text=True, env=environment())
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["controlPlane"]["endpoint"] == f"http://{host.host}"


def test_invoke_shows_the_log_and_takes_a_version(kelvin_at):
    code, output, messages = kelvin_at("invoke", "orders", '{"do": "print", "text": "seen in the log"}', "--tail")
    assert code == 0
    assert "seen in the log" in messages and "seen in the log" not in output.replace('"text": "seen in the log"', "")
    assert kelvin_at("invoke", "orders", '{"do": "ok"}', "--qualifier", "$LATEST")[0] == 0
    code, _, messages = kelvin_at("invoke", "orders", '{"do": "ok"}', "--qualifier", "missing")
    assert code == 1
    assert "missing" in messages


def test_progress_is_one_line_on_a_terminal(host, kelvin, tmp_path):
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [kelvin, "provisioned", "2", "--function", "orders", "--host-url", f"http://{host.host}"], cwd=tmp_path,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal, env=environment(TERM="xterm"))
    os.close(terminal)
    output = process.stdout.read().decode()
    process.stdout.close()
    assert process.wait(60) == 0
    said = b""
    while True:
        try:
            said += os.read(controller, 65536)
        except OSError:  # Nobody has the terminal open any more.
            break
    os.close(controller)
    assert output == "orders:current: provisioned 2, allocated 2, available 2, ready\n"
    assert b"\n" not in said
    assert said.startswith(b"\r\x1b[Korders:current: provisioned 2")
    assert said.endswith(b"\r\x1b[K")
    assert subprocess.run(
        [kelvin, "provisioned", "off", "--function", "orders", "--host-url", f"http://{host.host}"], cwd=tmp_path,
        timeout=60, env=environment()).returncode == 0


def test_many_functions_come_page_by_page(hosts, kelvin, tmp_path):
    names = [f"f{number:02}" for number in range(60)]
    many = hosts({name: {"command": ["true"]} for name in names}).start()
    where = ("--host-url", f"http://{many.host}")
    result = subprocess.run(
        [kelvin, "status", "--agent", many.agent, *where, "--output", "json"], cwd=tmp_path, timeout=60,
        capture_output=True, text=True, env=environment())
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert [function["function"] for function in document["functions"]] == names
    assert all(function["limits"]["reserved"] is None for function in document["functions"])
    result = subprocess.run(
        [kelvin, "reserved", *where], cwd=tmp_path, timeout=60, capture_output=True, text=True, env=environment())
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr.endswith("f18, f19 and 40 more.\n")


def test_an_agent_alone_is_enough_for_status(hosts, kelvin, tmp_path):
    alone = hosts({"orders": {"command": ["true"]}}, command="agent").start()
    result = subprocess.run(
        [kelvin, "status", "--agent", alone.agent, "--host-url", "127.0.0.1:1"], cwd=tmp_path, timeout=60,
        capture_output=True, text=True, env=environment())
    assert (result.returncode, result.stderr) == (0, "")
    assert f"agent at {alone.agent}" in result.stdout
