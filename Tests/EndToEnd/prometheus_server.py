"""Debian's Prometheus, as a process of the test's own."""
import json
import shutil
import urllib.error

from server_process import ServerProcess


def promtool():
    path = shutil.which("promtool")
    assert path, "promtool is not installed; scripts/install-packages test installs it"
    return path


class Prometheus(ServerProcess):
    """Scrapes one target; `features` are what --enable-feature takes, `settings` are added to its configuration."""

    programs = ("prometheus",)

    def __init__(self, folder, target, features=(), interval="1s", settings=None):
        super().__init__(folder)
        self.features = [f"--enable-feature={feature}" for feature in features]
        configuration = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "scrape_configs": [{"job_name": "kelvin", "static_configs": [{"targets": [target]}]}],
        }
        (self.folder / "prometheus.yml").write_text(json.dumps(configuration | (settings or {})))

    def arguments(self, attempt):
        return [
            f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data-{attempt}",
            f"--web.listen-address={self.address}", *self.features]

    def query(self, expression):
        """The result of an instant query: pairs of labels and value, or of labels and samples for a range."""
        document = self.get("/api/v1/query", query=expression)
        assert document["status"] == "success", document
        return [
            (item["metric"], item["values"] if "values" in item else item["value"][1])
            for item in document["data"]["result"]]

    def ask(self, path, **parameters):
        """What the API answers, as a document; an error is one, too."""
        try:
            return self.get(f"/api/v1/{path}", **parameters)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def value(self, expression):
        """The one value of a query; `None` if there is none."""
        result = self.query(expression)
        assert len(result) <= 1, result
        return float(result[0][1]) if result else None
