"""Debian's Alertmanager, as a process of the test's own, and a receiver of what it sends."""
import http.server
import json
import shutil
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

from kelvin_host import poll
from prometheus_server import Prometheus, free_port


class Receiver:
    """A webhook: keeps every alert that it is told of, in order."""

    def __init__(self):
        self.alerts, self.lock = [], threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver.lock:
                    receiver.alerts += document["alerts"]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def told(self, status, **labels):
        """The alerts with this status and these labels that it was told of."""
        with self.lock:
            return [
                alert for alert in self.alerts
                if alert["status"] == status and labels.items() <= alert["labels"].items()]

    def stop(self):
        self.server.shutdown()
        self.thread.join(10)
        self.server.server_close()


class Alertmanager:
    """Sends each alert of its own at once."""

    def __init__(self, folder, receiver):
        self.folder, self.process = Path(folder), None
        (self.folder / "alertmanager.yml").write_text(json.dumps({
            "route": {
                "receiver": "test", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "test", "webhook_configs": [{"url": receiver.url, "send_resolved": True}]}],
        }))

    def start(self):
        program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        assert program, "Alertmanager is not installed; scripts/install-packages test installs it"
        for attempt in range(5):
            self.address = f"127.0.0.1:{free_port()}"
            self.log = self.folder / f"alertmanager-{attempt}.log"
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    [
                        program, f"--config.file={self.folder}/alertmanager.yml",
                        f"--storage.path={self.folder}/data-{attempt}", f"--web.listen-address={self.address}",
                        # One alone, which needs no port for others.
                        "--cluster.listen-address=",
                    ], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            poll(lambda: self.is_ready() or self.process.poll() is not None, 30, "Alertmanager is ready")
            if self.process.poll() is None:
                return self
        raise AssertionError(f"Alertmanager did not start: {self.log.read_text()[-2000:]}")

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


class AlertingPrometheus(Prometheus):
    """Scrapes one target every second, evaluates rules as often, and tells an Alertmanager."""

    def __init__(self, folder, target, rules, alertmanager):
        super().__init__(folder, target)
        path = self.folder / "prometheus.yml"
        configuration = json.loads(path.read_text())
        configuration["global"]["evaluation_interval"] = "1s"
        configuration["rule_files"] = [str(rules)]
        configuration["alerting"] = {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager.address]}]}]}
        path.write_text(json.dumps(configuration))

    def rules(self):
        """All rules, as Prometheus has them."""
        with urllib.request.urlopen(f"http://{self.address}/api/v1/rules", timeout=10) as reply:
            document = json.load(reply)
        return [rule for group in document["data"]["groups"] for rule in group["rules"]]
