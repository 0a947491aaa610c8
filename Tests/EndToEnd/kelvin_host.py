"""Starts the real `kelvin` for the tests, asks it, and ends it; nothing that it started may be left."""
import calendar
import gzip
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from prometheus_client.parser import text_string_to_metric_families

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
FUNCTIONS = HERE / "functions"
EXAMPLES = REPOSITORY / "docs" / "examples"
ORDERS_FOLDER = str(EXAMPLES / "swift-function")
ORDERS_FILE = Path(ORDERS_FOLDER) / ".build" / "release" / "orders"
ORDERS = [str(ORDERS_FILE), "--warm-up", "60"]
NODE_FOLDER = str(EXAMPLES / "node-function")
# Instances carry this variable with a value of their host's own, so that they are found whatever became of their parents.
MARK = "KELVIN_END_TO_END"
NANOSECONDS = 1_000_000_000


def poll(condition, seconds, what):
    """Asks until the answer is something, and returns it; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.02)


def node_function(**settings):
    """The settings of the example in Node."""
    return {"runtime": "node", "handler": "index.handler", "directory": NODE_FOLDER, **settings}


def python_function(handler="app.handler", **settings):
    """The settings of a function on awslambdaric, as it comes from PyPI."""
    return {"command": [sys.executable, "-m", "awslambdaric", handler], "directory": str(FUNCTIONS), **settings}


class Answer:
    """What an HTTP server answered."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


def request(address, method, path, body=None, headers=None, timeout=120):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def processes_with(mark):
    """The ids of all processes with this mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # It has ended meanwhile, or is not ours.
    return found


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.text = text
        self.values = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.values, f"{key} is exposed twice"
                self.values[key] = sample.value

    def get(self, name, **labels):
        return self.values.get((name, frozenset(labels.items())))

    def __call__(self, name, **labels):
        value = self.get(name, **labels)
        assert value is not None, f"{name}{labels} is not in the scrape"
        return value

    def total(self, name, **labels):
        """The sum over the labels that are not given."""
        wanted = set(labels.items())
        return sum(value for (other, given), value in self.values.items() if other == name and wanted <= given)


class Windows:
    """An answer of /api/v1/windows, with exact numbers."""

    def __init__(self, text):
        self.document = json.loads(text, parse_float=Decimal)
        self.list = self.document["windows"]

    def total(self, member):
        return sum(window[member] for window in self.list)

    def counts(self, member):
        """The sum of a member such as throttlesByReason."""
        result = {}
        for window in self.list:
            for name, count in window[member].items():
                result[name] = result.get(name, 0) + count
        return result

    def largest(self, member):
        return max((window[member] for window in self.list), default=0)

    def at(self, nanoseconds):
        """The window in which an instant lies."""
        for window in self.list:
            if rfc3339(window["start"]) <= nanoseconds < rfc3339(window["end"]):
                return window
        raise AssertionError(f"no window has {nanoseconds}: {[window['start'] for window in self.list]}")


def rfc3339(text):
    """Nanoseconds since the epoch."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", text)
    assert match, f"{text} is no time in UTC"
    seconds = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    return seconds * NANOSECONDS + int((match[2] or "").ljust(9, "0"))


class KelvinHost:
    """`kelvin host` with some functions, on free ports, in a folder of its own."""

    def __init__(self, binary, folder, functions, window="10s", account=None, command="host",
                 isolation=None, alerts=None, allowed_hosts=None, open_files=None, environment=None, reports_to=None,
                 options=(), sections=None):
        # Where another process's agent answers, which then has the numbers.
        self.reports_to = reports_to
        self.options = list(options)
        self.binary, self.folder, self.command = str(binary), Path(folder), command
        # prlimit(1) becomes the host.
        self.prefix = [] if open_files is None else ["prlimit", f"--nofile={open_files}:{open_files}"]
        self.environment = {**os.environ, **(environment or {})}
        self.mark = uuid.uuid4().hex
        self.window_seconds = int(window.rstrip("s"))
        self.process = None
        self.agent = self.host = None
        self.starts = 0
        for function in functions.values():
            function.setdefault("environment", {})[MARK] = self.mark
        host = {"listen": "127.0.0.1:0"}
        if account is not None:
            host.update(accountConcurrency=account, unreservedMinimum=0)
        if isolation is not None:
            host["isolation"] = isolation
        if allowed_hosts is not None:
            host["allowedHosts"] = allowed_hosts
        configuration = {
            "agent": {"listen": "127.0.0.1:0", "dataDirectory": "data", "window": window},
            "host": host,
            "functions": functions,
        }
        if alerts is not None:
            configuration["alerts"] = alerts
        # Whole sections beside those, such as websockets.
        configuration.update(sections or {})
        self.folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        (self.folder / "kelvin.yaml").write_text(json.dumps(configuration, indent=2))

    # Life

    def start(self):
        self.starts += 1
        self.log = self.folder / f"host-{self.starts}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.binary, self.command, "--config", str(self.folder / "kelvin.yaml"),
                 *(["--agent", self.reports_to if "://" in self.reports_to else f"http://{self.reports_to}"] if self.reports_to else []),
                 *self.options],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )
        poll(self.has_said_where, 30, lambda: f"the host answers; it said: {self.said()}")
        poll(self.is_ready, 30, lambda: f"the agent is ready; it said: {self.said()}")
        return self

    def said(self):
        return self.log.read_text(errors="replace")

    def has_said_where(self):
        text = self.said()
        if "Stop with Ctrl-C." not in text:
            assert self.process.poll() is None, f"the host ended with {self.process.returncode}: {text}"
            return False
        self.agent = self.reports_to or re.search(r"metrics +http://([0-9.:]+)/metrics", text)[1]
        found = re.search(r"invoke +http://([0-9.:]+)", text)
        self.host = found and found[1]
        return True

    def is_ready(self):
        return request(self.agent, "GET", "/-/ready").status == 200

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Ends it by a signal; no instance may be left soon after. Returns its exit code."""
        if self.process is None:
            return None
        self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise AssertionError(f"the host did not end within {seconds} s of signal {number}: {self.said()}") from None
        finally:
            self.process = None
            self.assert_no_instance_left()
        return code

    def assert_no_instance_left(self, seconds=15):
        poll(lambda: not processes_with(self.mark), seconds, lambda: f"instances end: {processes_with(self.mark)}")

    def instances(self):
        return processes_with(self.mark)

    def runtime_api(self):
        """The address of the Runtime API of one of the instances, as it is told."""
        def addresses():
            for process in self.instances():
                try:
                    variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
                except OSError:
                    continue  # It has ended meanwhile.
                for variable in variables:
                    if variable.startswith(b"AWS_LAMBDA_RUNTIME_API="):
                        return variable.partition(b"=")[2].decode()
            return None

        return poll(addresses, 10, "an instance runs")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        code = self.stop()
        if code is not None:
            assert code == 0, f"the host ended with {code}: {self.said()}"

    # What is asked of it

    def invoke(self, function, event, **headers):
        return request(self.host, "POST", f"/2015-03-31/functions/{function}/invocations", json.dumps(event), headers)

    def url(self, function, path="/", method="GET", body=None, headers=None):
        return request(self.host, method, f"/url/{function}{path}", body, headers)

    def metrics(self):
        answer = request(self.agent, "GET", "/metrics", headers={"Accept-Encoding": "gzip"})
        assert answer.status == 200, answer
        body = gzip.decompress(answer.body) if answer.headers["Content-Encoding"] == "gzip" else answer.body
        return Metrics(body.decode())

    def isolation(self):
        """What the host enforces, as it tells."""
        return request(self.agent, "GET", "/api/v1/status").json()["host"]["isolation"]

    def windows(self, function=None, **parameters):
        query = {"range": "30m", "resolution": f"{self.window_seconds}s", **parameters}
        if function:
            query["function"] = function
        answer = request(self.agent, "GET", "/api/v1/windows?" + urlencode(query))
        assert answer.status == 200, answer
        return Windows(answer.body)

    def run(self, *arguments, **options):
        """A command of kelvin's that asks this one."""
        where = {"KELVIN_AGENT": f"http://{self.agent}", "KELVIN_HOST": f"http://{self.host}"}
        return run(self.binary, *arguments, cwd=self.folder, environment=where, **options)

    def wait_for_room(self, seconds):
        """Waits for a moment with that much left of the window."""
        assert seconds < self.window_seconds
        poll(
            lambda: self.window_seconds - time.time() % self.window_seconds >= seconds,
            self.window_seconds + 1, "a moment away from a boundary",
        )

    def wait_for_closed(self, nanoseconds):
        """Waits until the gauges are of the window in which an instant lies; the scrape."""
        end = (nanoseconds // NANOSECONDS // self.window_seconds + 1) * self.window_seconds

        def scrape():
            metrics = self.metrics()
            shown = metrics("lambda_window_end_timestamp_seconds")
            assert shown <= end, f"the window that ends at {end} was missed: {shown} is shown"
            return metrics if shown == end else None

        return poll(scrape, self.window_seconds + 10, "the window is closed")


def run(binary, *arguments, cwd, seconds=60, environment=()):
    return subprocess.run(
        [str(binary), *map(str, arguments)], cwd=cwd, timeout=seconds, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, env={**os.environ, **dict(environment)},
    )


def port_of(address):
    return urlsplit(f"//{address}").port


def kelvin_binary():
    """What `make test` built, or what was built by hand."""
    if os.environ.get("KELVIN"):
        return Path(os.environ["KELVIN"])
    folder = os.environ.get("KELVIN_BUILD") or REPOSITORY / ".build" / "debug"
    return Path(folder) / "kelvin"
