"""Debian's Alertmanager, as a process of the test's own, and a receiver of what it sends."""
import http.server
import json
import threading

from prometheus_server import Prometheus
from server_process import ServerProcess


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


class Alertmanager(ServerProcess):
    """Sends each alert of its own at once."""

    programs = ("prometheus-alertmanager", "alertmanager")

    def __init__(self, folder, receiver):
        super().__init__(folder)
        (self.folder / "alertmanager.yml").write_text(json.dumps({
            "route": {
                "receiver": "test", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "test", "webhook_configs": [{"url": receiver.url, "send_resolved": True}]}],
        }))

    def arguments(self, attempt):
        return [
            f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/data-{attempt}",
            f"--web.listen-address={self.address}",
            # One alone, which needs no port for others.
            "--cluster.listen-address="]


class AlertingPrometheus(Prometheus):
    """Scrapes one target every second, evaluates rules as often, and tells an Alertmanager."""

    def __init__(self, folder, target, rules, alertmanager):
        super().__init__(folder, target, settings={
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.address]}]}]},
        })

    def rules(self):
        """All rules, as Prometheus has them."""
        return [rule for group in self.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]
