"""Debian's Prometheus, as a process of the test's own."""
import json
import shutil
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from kelvin_host import poll


def promtool():
    path = shutil.which("promtool")
    assert path, "promtool is not installed; scripts/install-packages test installs it"
    return path


def free_port():
    """A port that nobody has now; somebody may have it a moment later, so who uses it must be able to try again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """Scrapes one target every second; `features` are what --enable-feature takes."""

    def __init__(self, folder, target, features=()):
        self.folder, self.process = Path(folder), None
        self.features = [f"--enable-feature={feature}" for feature in features]
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "kelvin", "static_configs": [{"targets": [target]}]}],
        }))

    def start(self):
        program = shutil.which("prometheus")
        assert program, "prometheus is not installed; scripts/install-packages test installs it"
        for attempt in range(5):
            self.address = f"127.0.0.1:{free_port()}"
            self.log = self.folder / f"prometheus-{attempt}.log"
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    [
                        program, f"--config.file={self.folder}/prometheus.yml",
                        f"--storage.tsdb.path={self.folder}/data-{attempt}", f"--web.listen-address={self.address}",
                        *self.features,
                    ], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            ended = poll(lambda: self.is_ready() or self.process.poll() is not None, 30, "Prometheus is ready")
            if self.process.poll() is None and ended:
                return self
        raise AssertionError(f"Prometheus did not start: {self.log.read_text()[-2000:]}")

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as reply:
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def query(self, expression):
        """The result of an instant query: pairs of labels and value, or of labels and samples for a range."""
        with urllib.request.urlopen(
            f"http://{self.address}/api/v1/query?" + urlencode({"query": expression}), timeout=10) as reply:
            document = json.load(reply)
        assert document["status"] == "success", document
        return [
            (item["metric"], item["values"] if "values" in item else item["value"][1])
            for item in document["data"]["result"]]

    def ask(self, path, **parameters):
        """What the API answers, as a document; an error is one, too."""
        try:
            with urllib.request.urlopen(
                f"http://{self.address}/api/v1/{path}?" + urlencode(parameters), timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def value(self, expression):
        """The one value of a query; `None` if there is none."""
        result = self.query(expression)
        assert len(result) <= 1, result
        return float(result[0][1]) if result else None
