"""A host on one machine and its agent on another, over TLS with tokens and through an outage: the numbers are the host's answers."""
import http.client
import json
import os
import random
import ssl
import subprocess
import threading
import time

import pytest

from kelvin_host import NANOSECONDS, Metrics, Windows, poll, python_function
from load_driver import LoadDriver
from network_namespace import TwoMachines
from recompute import differences, outcome
from test_access import READER, SENDER, Agent, tokens
from test_https import certificate
from test_import_stored import day, iso, yesterday

WINDOW = 5
FUNCTIONS = {
    "reports": [("invoke", "ok", {}, 10), ("invoke", "sleep", {"ms": 150}, 5), ("url", "error", {}, 2)],
    "mails": [("url", "ok", {}, 5), ("url", "sleep", {"ms": 200}, 5), ("invoke", "loop", {}, 0.3)],
}


class Far:
    """The agent, as readers on its own machine see it."""

    def __init__(self, machine, folder, window=WINDOW):
        self.machine = machine
        self.certificate = certificate(folder, "agent", machine.address)
        (folder / "web.yml").write_text(f"tls_server_config: {{cert_file: {self.certificate}, key_file: {self.certificate}}}\n")
        lines = [f"tokenFile: {tokens(folder)}", f"webConfigFile: {folder}/web.yml", f"window: {window}s"]
        self.agent = machine.inside(lambda: Agent(folder, lines, listen=f"{machine.address}:0"))
        (folder / "sender").write_text(SENDER)
        self.environment = {"KELVIN_TOKEN_FILE": str(folder / "sender"), "KELVIN_CA_FILE": self.certificate}

    def get(self, path):
        def ask():
            connection = http.client.HTTPSConnection(
                self.agent.address, timeout=30, context=ssl.create_default_context(cafile=self.certificate))
            try:
                connection.request("GET", path, headers={"Authorization": f"Bearer {READER}"})
                answer = connection.getresponse()
                body = answer.read()
                assert answer.status == 200, body
                return body
            finally:
                connection.close()

        return self.machine.inside(ask)

    def metrics(self):
        return Metrics(self.get("/metrics").decode())

    def windows(self, function=None):
        of_function = f"&function={function}" if function else ""
        return Windows(self.get(f"/api/v1/windows?range=30m&resolution={WINDOW}s{of_function}"))


@pytest.mark.root
def test_the_numbers_of_two_machines_are_those_of_the_answers(hosts, tmp_path):
    with TwoMachines() as (there, here):
        far = Far(there, tmp_path)
        try:
            host = hosts(
                {"reports": python_function(reserved=3), "mails": python_function(timeout="1s")}, window=f"{WINDOW}s",
                reports_to=f"https://{far.agent.address}", environment={**os.environ, **far.environment})
            host.is_ready = lambda: True
            here.inside(host.start)
            driver = LoadDriver(host.host, FUNCTIONS, seed=20261130)
            load = threading.Thread(target=here.inside, args=(lambda: driver.run(14, 6, []),))
            load.start()
            time.sleep(3)
            heard = far.metrics().total("lambda_invocations_total")
            there.set_link("down")
            time.sleep(5)
            answered = len(driver.records)
            there.set_link("up")
            load.join(120)
            # Callers on the host's machine noticed nothing.
            assert not driver.problems and answered > heard > 0 and len(driver.records) > answered
            poll(lambda: far.metrics().total("lambda_invocations_total") == sum(
                record["status"] != 429 for record in driver.records), 60, lambda: f"all of it has come: {host.said()}")
            assert_equal(far, driver.records)
            assert here.inside(host.stop) == 0
            assert_equal(far, driver.records)
            assert "did not reach" not in host.said(), host.said()
            (source,) = json.loads(far.get("/api/v1/sources"))["sources"]
            assert source["rejected"] == source["missingBatches"] == 0
        finally:
            far.agent.stop()


def assert_equal(far, records):
    metrics = far.metrics()
    for function in [None, *FUNCTIONS]:
        mine = [record for record in records if function in (None, record["function"])]
        assert not differences(mine, far.windows(function).document, WINDOW * NANOSECONDS), function
    for function in FUNCTIONS:
        mine = [record for record in records if record["function"] == function]
        finished = [record for record in mine if record["status"] != 429]
        assert metrics.total("lambda_invocations_total", function=function) == len(finished) > 0
        assert metrics("lambda_errors_total", function=function) == sum(outcome(record)[0] != "success" for record in finished) > 0
        assert metrics.total("lambda_throttles_total", function=function) == len(mine) - len(finished)


@pytest.mark.root
def test_a_recorded_day_is_the_same_from_the_other_machine(kelvin, tmp_path):
    """A day's log, cut into eight parts that are sent shuffled, twice, and at once: bit by bit what one process makes of the whole."""
    begin = yesterday() - 24 * 3600
    whole = tmp_path / "whole.log"
    whole.write_text(day(begin, range(144), spacing=1800))
    lines = whole.read_text().splitlines(keepends=True)
    random.Random(20261130).shuffle(lines)
    parts = [tmp_path / f"part-{number}.log" for number in range(8)]
    for number, part in enumerate(parts):
        part.write_text("".join(lines[number::8]))
    span = f"from={iso(begin)[:19]}Z&to={iso(begin + 24 * 3600)[:19]}Z&resolution=1m"

    def run_import(*arguments, environment=()):
        return subprocess.run(
            [str(kelvin), "import", "--function", "orders", *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True, timeout=120,
            env={**os.environ, **dict(environment)})

    def windows_of(folder, machine):
        folder.mkdir()
        far = Far(machine, folder, window=60)
        return far, lambda: far.get(f"/api/v1/windows?{span}"), f"https://{far.agent.address}"

    with TwoMachines() as (there, here):
        near, near_windows, near_url = windows_of(tmp_path / "near", here)
        far, far_windows, far_url = windows_of(tmp_path / "far", there)
        try:
            alone = here.inside(lambda: run_import("--agent", near_url, whole, environment=near.environment))
            assert alone.returncode == 0, alone.stderr

            def send(part):
                done = here.inside(lambda: run_import("--agent", far_url, part, environment=far.environment))
                assert done.returncode == 0, done.stderr

            for _ in range(2):
                senders = [threading.Thread(target=send, args=(part,)) for part in parts]
                for sender in senders:
                    sender.start()
                for sender in senders:
                    sender.join()
            expected = near_windows()
            assert sum(window["invocations"] for window in json.loads(expected)["windows"]) == 144
            poll(lambda: far_windows() == expected, 60, "all parts are folded")
        finally:
            near.agent.stop()
            far.agent.stop()
