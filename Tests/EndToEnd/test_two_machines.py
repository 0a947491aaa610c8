"""A host on one machine and its agent on another, over TLS with tokens and through an outage: the numbers are the host's answers."""
import http.client
import json
import os
import ssl
import threading
import time

import pytest

from kelvin_host import NANOSECONDS, Metrics, Windows, poll, python_function
from load_driver import LoadDriver
from network_namespace import TwoMachines
from recompute import differences, outcome
from test_access import READER, SENDER, Agent, tokens
from test_https import certificate

WINDOW = 5
FUNCTIONS = {
    "reports": [("invoke", "ok", {}, 10), ("invoke", "sleep", {"ms": 150}, 5), ("url", "error", {}, 2)],
    "mails": [("url", "ok", {}, 5), ("url", "sleep", {"ms": 200}, 5), ("invoke", "loop", {}, 0.3)],
}


class Far:
    """The agent, as readers on its own machine see it."""

    def __init__(self, machine, folder):
        self.machine = machine
        self.certificate = certificate(folder, "agent", machine.address)
        (folder / "web.yml").write_text(f"tls_server_config: {{cert_file: {self.certificate}, key_file: {self.certificate}}}\n")
        lines = [f"tokenFile: {tokens(folder)}", f"webConfigFile: {folder}/web.yml", f"window: {WINDOW}s"]
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
