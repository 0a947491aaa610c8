"""Servers that scrape an agent several times a window, each a process of the test's own on a port of loopback."""
import json
import urllib.error

from prometheus_server import Prometheus
from server_process import ServerProcess

INTERVAL = "500ms"


class MetricServer(ServerProcess):
    """What all have in common: they are scraping, and answer PromQL as Prometheus does."""

    # When queries ask; now, if it is not set.
    time = None

    def query(self, expression):
        """What an instant query answers, at `self.time` if that is set: a list of labels and `value`, `values` or `histogram`."""
        parameters = {"query": expression} if self.time is None else {"query": expression, "time": self.time}
        try:
            document = self.get("/api/v1/query", **parameters)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{self.programs[0]} refuses {expression}: {error.read()[:500]}") from None
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


class ClassicPrometheus(MetricServer, Prometheus):
    """Debian's Prometheus 2.42: it asks for OpenMetrics first."""

    def __init__(self, folder, target, features=()):
        super().__init__(folder, target, features, INTERVAL)


class NativePrometheus(ClassicPrometheus):
    """The same with native histograms on: it asks for protobuf first."""

    def __init__(self, folder, target):
        super().__init__(folder, target, ("native-histograms", "exemplar-storage"))

    def exemplars(self, selector, start, end):
        """Pairs of the labels of a series and its exemplars."""
        document = self.get("/api/v1/query_exemplars", query=selector, start=start, end=end)
        return [(item["seriesLabels"], item["exemplars"]) for item in document["data"]]


class VictoriaMetrics(MetricServer):
    """Debian's VictoriaMetrics 1.79: it asks for text 0.0.4."""

    programs = ("victoria-metrics",)
    ready_path = "/health"

    def __init__(self, folder, target):
        super().__init__(folder)
        (self.folder / "scrape.yml").write_text(json.dumps({
            "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL},
            "scrape_configs": [{"job_name": "kelvin", "static_configs": [{"targets": [target]}]}],
        }))

    def arguments(self, attempt):
        return [
            f"-promscrape.config={self.folder}/scrape.yml", f"-storageDataPath={self.folder}/data-{attempt}",
            f"-httpListenAddr={self.address}", "-search.latencyOffset=0s", "-memory.allowedBytes=67108864"]
