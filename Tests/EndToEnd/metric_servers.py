"""Servers that scrape an agent several times a window, each a process of the test's own on a port of loopback."""
import json
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from kelvin_host import poll
from prometheus_server import free_port


class MetricServer:
    """What all have in common: they are scraping, and answer PromQL as Prometheus does."""

    package = program = None

    def __init__(self, folder, target, interval="500ms"):
        self.folder, self.process, self.address = Path(folder), None, None
        self.time = None
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "scrape.yml").write_text(json.dumps({
            "global": {"scrape_interval": interval, "scrape_timeout": interval},
            "scrape_configs": [{"job_name": "kelvin", "static_configs": [{"targets": [target]}]}],
        }))

    def arguments(self, attempt):
        raise NotImplementedError

    def start(self):
        program = shutil.which(self.program)
        assert program, f"{self.program} is not installed; scripts/install-packages test installs {self.package}"
        for attempt in range(5):
            # Somebody may take the port in between.
            self.address = f"127.0.0.1:{free_port()}"
            log_file = self.folder / f"server-{attempt}.log"
            with open(log_file, "wb") as log:
                self.process = subprocess.Popen(
                    [program, *self.arguments(attempt)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            poll(lambda: self.is_ready() or self.process.poll() is not None, 60, f"{self.program} is ready")
            if self.process.poll() is None:
                return self
        raise AssertionError(f"{self.program} did not start: {log_file.read_text()[-2000:]}")

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def query(self, expression):
        """What an instant query answers, at `self.time` if that is set: a list of labels and `value`, `values` or `histogram`."""
        parameters = {"query": expression} if self.time is None else {"query": expression, "time": self.time}
        try:
            with urllib.request.urlopen(
                f"http://{self.address}/api/v1/query?" + urlencode(parameters), timeout=30) as reply:
                document = json.load(reply)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{self.program} refuses {expression}: {error.read()[:500]}") from None
        assert document["status"] == "success", document
        return document["data"]["result"]

    def value(self, expression):
        """The one value of a query; `None` if there is none."""
        result = self.query(expression)
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else None

    def samples(self, selector, since="30m"):
        """All that was scraped of one series: pairs of time and value, without the marks of its absence."""
        result = self.query(f"{selector}[{since}]")
        assert len(result) <= 1, f"{selector} is {len(result)} series"
        values = result[0]["values"] if result else []
        return [(float(time), float(value)) for time, value in values if value != "NaN"]


class ClassicPrometheus(MetricServer):
    """Debian's Prometheus 2.42: it asks for OpenMetrics first."""

    package = program = "prometheus"
    features = ()

    def arguments(self, attempt):
        return [
            f"--config.file={self.folder}/scrape.yml", f"--storage.tsdb.path={self.folder}/data-{attempt}",
            f"--web.listen-address={self.address}", *(f"--enable-feature={feature}" for feature in self.features)]


class NativePrometheus(ClassicPrometheus):
    """The same with native histograms on: it asks for protobuf first."""

    features = ("native-histograms", "exemplar-storage")

    def exemplars(self, selector, start, end):
        """Pairs of the labels of a series and its exemplars."""
        with urllib.request.urlopen(
            f"http://{self.address}/api/v1/query_exemplars?"
            + urlencode({"query": selector, "start": start, "end": end}), timeout=30) as reply:
            return [(item["seriesLabels"], item["exemplars"]) for item in json.load(reply)["data"]]


class VictoriaMetrics(MetricServer):
    """Debian's VictoriaMetrics 1.79: it asks for text 0.0.4."""

    package = program = "victoria-metrics"

    def arguments(self, attempt):
        return [
            f"-promscrape.config={self.folder}/scrape.yml", f"-storageDataPath={self.folder}/data-{attempt}",
            f"-httpListenAddr={self.address}", "-search.latencyOffset=0s", "-memory.allowedBytes=67108864"]

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/health", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False
