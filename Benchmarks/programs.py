#!/usr/bin/env python3
"""Measures whole programs: `kelvin` as it is run, and a function in Swift, both as they are released.

Usage: Benchmarks/programs.py --kelvin PATH --function PATH --tools FOLDER [--python PATH] [name ...]

Prints what was measured beside what is wanted. Names choose benchmarks by their beginning; without any, all are run. The
machine may be shared, so a cost is the median of runs where runs are short, and the least of a few where they are long.
Everything listens on free ports of loopback, works in a folder of its own that is removed, and is ended by its process id.
Standard library only; `--python` is an interpreter with awslambdaric, `--tools` has what is built of Benchmarks/c.
"""
import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "Tests/EndToEnd"))
from many_functions import repeat_function  # noqa: E402
import ingest as events  # noqa: E402
import queue_load as jobs  # noqa: E402
import reporting  # noqa: E402
import sockets  # noqa: E402
import streaming  # noqa: E402
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MINUTE = 60_000_000_000
HTTP_EVENT = b'{"rawPath":"/","requestContext":{"http":{"method":"GET"}}}'


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def processor_seconds(pid):
    """User and system time of a process so far, all threads together, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Host:
    """A running `kelvin host` with some functions; without any, `kelvin agent`."""

    def __init__(self, kelvin, folder, functions, **sections):
        self.agent_port, self.port = free_port(), free_port()
        configuration = Path(folder) / "kelvin.yaml"
        # JSON is YAML.
        configuration.write_text(json.dumps({
            "agent": {"listen": f"127.0.0.1:{self.agent_port}", "dataDirectory": str(Path(folder) / "data")},
            "host": {"listen": f"127.0.0.1:{self.port}"},
            "functions": functions,
            **sections,
        }))
        self.log = open(Path(folder) / "log", "ab")
        self.start = time.perf_counter()
        self.process = subprocess.Popen(
            [kelvin, "host" if functions else "agent", "--config", str(configuration)], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self.ready = self.first_ready()
        except BaseException:
            self.end()
            raise

    def first_ready(self):
        """Seconds from the start of the process to the first answer that it is ready."""
        deadline = self.start + 30
        while time.perf_counter() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.agent_port)) as connection:
                    connection.sendall(b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    answer = connection.recv(4096)
                if answer.startswith(b"HTTP/1.1 200"):
                    return time.perf_counter() - self.start
            except ConnectionError:
                pass
            time.sleep(0.0005)
        raise SystemExit(f"programs.py: kelvin is not ready; it says:\n{Path(self.log.name).read_text()}")

    def processor_seconds(self):
        return processor_seconds(self.process.pid)

    def resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1]) * 1024

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        """Of all threads so far: nanoseconds that they ran, and how often they waited of their own will."""
        ran = waited = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            ran += int((task / "schedstat").read_text().split()[0])
            waited += int(re.search(r"(?m)^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text())[1])
        return ran, waited

    def agent(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.agent_port}{path}") as answer:
            return answer.read().decode()

    def idle_instances(self):
        return self.agent("/api/v1/instances").count('"state":"idle"')

    def total(self, name):
        """The sum of a counter over its labels."""
        return sum(float(value) for value in re.findall(rf"(?m)^{name}(?:{{.*}})? (\S+)$", self.agent("/metrics")))

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def request_bytes(method, path, body=b""):
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


INVOKE = request_bytes("POST", "/2015-03-31/functions/orders/invocations", HTTP_EVENT)
FUNCTION_URL = request_bytes("GET", "/url/orders/?item=apple")


class Client:
    """One connection that is kept, with as little work of its own as can be."""

    def __init__(self, port):
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request, count):
        for _ in range(count):
            self.connection.sendall(request)
            self.answer()

    def answer(self):
        answer = self.connection.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += self.more()
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"programs.py: an invocation failed: {answer[:1000]!r}")
        length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
        while len(body) < length:
            body += self.more()

    def more(self):
        more = self.connection.recv(65536)
        if not more:
            raise SystemExit("programs.py: the host closed a connection in the middle of an answer")
        return more

    def close(self):
        self.connection.close()


def send_at_once(port, request, clients, count):
    """Sends `count` requests over each of so many connections at the same time."""
    connections = [Client(port) for _ in range(clients)]
    threads = [threading.Thread(target=connection.send, args=(request, count)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()


class Programs:
    def __init__(self, arguments):
        self.kelvin, self.function, self.python = arguments.kelvin, arguments.function, arguments.python
        self.bare = arguments.bare
        self.tools = Path(arguments.tools)
        self.rows = []

    def add(self, name, value, unit, most=None, least=None):
        self.rows.append((name, value, unit, most, least))
        print(f"  {name}: {value:.2f} {unit}", file=sys.stderr)

    @contextlib.contextmanager
    def host(self, functions, **sections):
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            with Host(self.kelvin, folder, functions, **sections) as host:
                yield host

    def orders(self):
        return {"command": [self.function], "timeout": "10s"}

    # What the host costs.

    def bare_exchange(self):
        """CPU of the least HTTP exchange on the library that the host stands on, in microseconds, by clients at once."""
        with running([self.bare], stdout=subprocess.PIPE) as process:
            port = int(process.stdout.readline())
            result = {}
            for clients in [1, 8]:
                send_at_once(port, INVOKE, clients, 500 // clients)
                costs = []
                for _ in range(5):
                    before = processor_seconds(process.pid)
                    send_at_once(port, INVOKE, clients, 8000 // clients)
                    costs.append((processor_seconds(process.pid) - before) / 8000 * 1e6)
                result[clients] = min(costs)
            return result

    def warm_invoke(self):
        """Host CPU for one invocation of a function that is warm, agent and store included."""
        bare = self.bare_exchange()
        self.add("bare SwiftNIO: one HTTP exchange, one after another, CPU", bare[1], "µs")
        with self.host({"orders": self.orders()}) as host:
            for front, request in [("AWS path", INVOKE), ("function URL", FUNCTION_URL)]:
                for clients in [1, 8]:
                    send_at_once(host.port, request, clients, 500 // clients)
                    costs, rates = [], []
                    for _ in range(5):
                        before, start = host.processor_seconds(), time.perf_counter()
                        send_at_once(host.port, request, clients, 4000 // clients)
                        rates.append(4000 / (time.perf_counter() - start))
                        costs.append((host.processor_seconds() - before) / 4000 * 1e6)
                    at_once = "one after another" if clients == 1 else f"{clients} at once"
                    self.add(f"warm invoke: {front}, {at_once}, host CPU", min(costs), "µs", most=150)
                    if clients == 1:
                        # Caller and host, runtime and host for the event, runtime and host for the answer.
                        ratio = min(costs) / (3 * bare[clients])
                        self.add(f"warm invoke: {front}, {at_once}, against three bare exchanges", ratio, "times", most=1.7)
                    self.add(f"warm invoke: {front}, {at_once}, rate", max(rates), "per second")

    def sockets(self):
        """Memory of open WebSockets, and host CPU for a message to a warm function and back."""
        # $connect is not asked: what is measured is the host, not as many invocations.
        chat = {"chat": {"routes": {"$default": "orders"}}}
        with self.host({"orders": self.orders()}, websockets=chat) as host:
            frame = sockets.text_frame('{"rawPath":"/","requestContext":{"http":{"method":"GET"}}}')
            with sockets.open_socket(host.port) as connection:
                for _ in range(500):
                    sockets.exchange(connection, frame)
                costs = []
                for _ in range(5):
                    before = host.processor_seconds()
                    for _ in range(2000):
                        sockets.exchange(connection, frame)
                    costs.append((host.processor_seconds() - before) / 2000 * 1e6)
            self.add("sockets: a message to a warm function and back, host CPU", min(costs), "µs", most=250)
            before = host.resident_bytes()
            connections = sockets.open_sockets(host.port, 5000)
            self.add("sockets: 5,000 open, host memory", (host.resident_bytes() - before) / 1e6, "MB", most=60)
            for connection in connections[::50]:
                sockets.exchange(connection, frame)
            for connection in connections:
                connection.close()

    def queues(self):
        """Durable sends, jobs through a function, and the memory of a million jobs that wait."""
        senders, count = 64, 200
        worker = {"command": [str(self.tools / "function")], "timeout": "10s", "reserved": 16}
        queues = {"sink": {}, "sink.fifo": {}, "work": {"function": "worker"}, "work.fifo": {"function": "worker"}}
        with self.host({"worker": worker}, queues=queues) as host:
            def connect():
                return Client(host.port)

            for name in ["sink", "sink.fifo"]:
                kind = "FIFO" if name.endswith(".fifo") else "standard"
                costs, rates = [], []
                for round in range(3):
                    def make(queue, sender, number, round=round):
                        return jobs.single(queue, sender, number + round * count)

                    before = host.processor_seconds()
                    rates.append(senders * count / jobs.send(connect, make, name, senders, count))
                    costs.append((host.processor_seconds() - before) / (senders * count) * 1e6)
                self.add(f"queues: durable send, {kind}, {senders} senders, host CPU", min(costs), "µs", most=60)
                self.add(f"queues: durable send, {kind}, {senders} senders, rate", max(rates), "per second")
            for name in ["work", "work.fifo"]:
                kind = "FIFO, 1,000 groups" if name.endswith(".fifo") else "standard"
                total = 16 * 250 * jobs.BATCH
                before, start = host.processor_seconds(), time.perf_counter()
                jobs.send(connect, jobs.batch, name, 16, 250)
                while jobs.left(host.port, name):
                    time.sleep(0.01)
                self.add(f"queues: jobs sent and done, {kind}", total / (time.perf_counter() - start), "per second", least=5000)
                self.add(f"queues: a job sent and done, {kind}, host CPU", (host.processor_seconds() - before) / total * 1e6, "µs")
        with self.host({"worker": worker}, queues={"sink.fifo": {}}) as host:
            before = host.resident_bytes()
            jobs.send(lambda: Client(host.port), jobs.batch, "sink.fifo", 50, 2000)
            waiting = jobs.left(host.port, "sink.fifo")
            if waiting != 1_000_000:
                raise SystemExit(f"programs.py: 1,000,000 jobs were sent and {waiting} wait")
            self.add("queues: memory of 1 million waiting jobs", (host.resident_bytes() - before) / 1e6, "MB", most=100)

    def ingest(self):
        """Agent CPU for an event of a batch, from the socket to the store, beside a server of samples that is sent what the events stand for."""
        count = 100
        total = events.CONNECTIONS * count * events.BATCH_EVENTS
        costs = {}
        for name, content_type, encode, most in [
            ("protobuf", "application/x-protobuf", events.protobuf, 1.0),
            ("lines of JSON", "application/x-ndjson", events.lines, 3.0),
        ]:
            with self.host({}) as host:
                prepared = events.requests("/v1/events", content_type, encode, count)
                before, start = host.processor_seconds(), time.perf_counter()
                failures = events.send(host.agent_port, prepared)
                rate = total / (time.perf_counter() - start)
                if failures:
                    raise SystemExit(f"programs.py: {len(failures)} batches were refused, the first with {failures[0]!r}")
                costs[name] = (events.settled(host.processor_seconds) - before) / total * 1e6
                counted = host.total("lambda_invocations_total")
                if counted != total:
                    raise SystemExit(f"programs.py: {total} events were sent and {counted:.0f} counted")
            self.add(f"ingest: {name}, gzip, {events.BATCH_EVENTS} in a batch, agent CPU for an event", costs[name], "µs", most=most)
            self.add(f"ingest: {name}, rate", rate, "events per second")
        for name, make, most in [("a record of telemetry", events.telemetry, 6.0), ("a line of a log", events.log_lines, 3.0)]:
            with self.host({}) as host:
                prepared, records, invocations = events.pushes(make, 40)
                before = host.processor_seconds()
                failures = events.send(host.agent_port, prepared)
                if failures:
                    raise SystemExit(f"programs.py: {len(failures)} pushes were refused, the first with {failures[0]!r}")
                cost = (events.settled(host.processor_seconds) - before) / records * 1e6
                counted = host.total("lambda_invocations_total")
                if counted != invocations:
                    raise SystemExit(f"programs.py: {invocations} invocations were pushed and {counted:.0f} counted")
            self.add(f"ingest: {name}, gzip, agent CPU", cost, "µs", most=most)
        program = shutil.which("victoria-metrics")
        if not program:
            return print("  ingest: victoria-metrics is not installed and was left out", file=sys.stderr)
        port = free_port()
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            arguments = [program, f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}"]
            with running(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                deadline = time.perf_counter() + 30
                while time.perf_counter() < deadline:
                    with contextlib.suppress(OSError):
                        socket.create_connection(("127.0.0.1", port)).close()
                        break
                    time.sleep(0.05)
                prepared = events.requests("/api/v1/import/prometheus", "text/plain", events.samples, count)
                seconds = lambda: processor_seconds(process.pid)  # noqa: E731
                before = seconds()
                failures = events.send(port, prepared)
                if failures:
                    raise SystemExit(f"programs.py: VictoriaMetrics refused {failures[0]!r}")
                costs["peer"] = (events.settled(seconds) - before) / total * 1e6
        self.add("ingest: VictoriaMetrics, three samples for an event, CPU for an event", costs["peer"], "µs")
        self.add("ingest: protobuf against VictoriaMetrics", costs["protobuf"] / costs["peer"], "times", most=0.2)

    def ingest_crowd(self):
        """An agent's memory with 10,000 functions that have 100,000 instances at once."""
        with self.host({}) as host:
            before = host.resident_bytes()
            failures = events.send(host.agent_port, events.crowd(10_000, 10))
            if failures:
                raise SystemExit(f"programs.py: {len(failures)} batches were refused, the first with {failures[0]!r}")
            events.settled(host.processor_seconds)
            alive = host.total("lambda_instances")
            if alive != 100_000:
                raise SystemExit(f"programs.py: 100,000 instances were started and {alive:.0f} counted")
            self.add("ingest: agent with 10,000 functions and 100,000 instances", host.resident_bytes() / 1e6, "MB", most=400)
            self.add("ingest: the same before them", before / 1e6, "MB")

    def ingest_restart(self):
        """How long a start takes behind a kill in the middle of 10 million events."""
        batches = 10_000_000 // events.BATCH_EVENTS // events.CONNECTIONS
        total = batches * events.CONNECTIONS * events.BATCH_EVENTS
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            with Host(self.kelvin, folder, {}) as host:
                start = time.perf_counter()
                failures = events.send(host.agent_port, [events.Flood(batches, seed) for seed in range(events.CONNECTIONS)])
                if failures:
                    raise SystemExit(f"programs.py: {len(failures)} batches were refused, the first with {failures[0]!r}")
                self.add("ingest: 10 million events, plain", total / (time.perf_counter() - start), "events per second")
                host.process.kill()
                host.process.wait()
            with Host(self.kelvin, folder, {}) as host:
                self.add("ingest: start behind kill -9 after them, until ready", host.ready, "s", most=2)
                counted = host.total("lambda_invocations_total")
                if counted != total:
                    raise SystemExit(f"programs.py: {total} events were acknowledged and {counted:.0f} counted")

    def log_import(self):
        """A log of a gigabyte, as `aws logs tail` writes it, and what it tells."""
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            log = Path(folder) / "orders.log"
            with open(log, "w") as file:
                invocations = events.tail(file, 1_000_000_000)
            process = subprocess.Popen(
                [self.kelvin, "import", "--dry-run", "--function", "orders", "--output", "json", log],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={})
            document = json.loads(process.stdout.read())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
            if status or document["invocations"] != invocations:
                raise SystemExit(f"programs.py: {invocations} invocations are in a log and {document['invocations']} were found")
            seconds = usage.ru_utime + usage.ru_stime
            self.add("import: a log of 1 GB, by processor time", log.stat().st_size / 1e6 / seconds, "MB/s", least=150)
            self.add("import: the same, most memory", usage.ru_maxrss * 1024 / 1e6, "MB")

    def reporting(self):
        """What a Swift function pays for telling an agent of itself, whatever that agent does."""
        with self.host({}) as host:
            added, latency = reporting.compared(self.function, f"127.0.0.1:{host.agent_port}")
        self.add("reporting: CPU added to an invocation of a Swift function", added, "µs", most=20)
        self.add("reporting: latency against none", latency, "times", most=1.1)
        for name, agent in [("is gone", reporting.refusing()), ("is a black hole", reporting.black_hole()), ("takes a second", reporting.slow())]:
            with agent as address:
                added, latency = reporting.compared(self.function, address)
            self.add(f"reporting: latency against none, where the agent {name}", latency, "times", most=1.1)

    def streaming(self):
        """200 MB from a function to its caller: how fast, and how much memory the host adds."""
        size = 200 << 20
        functions = {
            "stream": {"command": [sys.executable, os.path.abspath(streaming.__file__)], "responseMode": "stream", "timeout": "120s"}}
        body = json.dumps({"bytes": size}).encode()
        requests = {
            "function URL": request_bytes("GET", f"/url/stream/?{size}"),
            "InvokeWithResponseStream": request_bytes(
                "POST", "/2021-11-15/functions/stream/response-streaming-invocations", body),
        }
        with self.host(functions) as host:
            for name, request in requests.items():
                streaming.read(host.port, request, lambda total: None)
                before, highest, rates, costs = host.resident_bytes(), 0, [], []
                looked = 0

                def look(total):
                    nonlocal highest, looked
                    if total - looked > 8 << 20:
                        looked = total
                        highest = max(highest, host.resident_bytes())

                for _ in range(5):
                    looked = 0
                    cpu, start = host.processor_seconds(), time.perf_counter()
                    streaming.read(host.port, request, look)
                    rates.append(size / (time.perf_counter() - start) / 1e6)
                    costs.append(size / (host.processor_seconds() - cpu) / 1e6)
                self.add(f"streaming: 200 MB through {name}, rate", max(rates), "MB/s", least=400)
                self.add(f"streaming: 200 MB through {name}, for each second of host CPU", max(costs), "MB")
                self.add(f"streaming: 200 MB through {name}, memory added", max(0, highest - before) / 1e6, "MB", most=5)

    def idle(self):
        """A host that nobody asks, with three functions that have served."""
        functions = {name: self.orders() for name in ["orders", "invoices", "mails"]}
        with self.host(functions) as host:
            for name in functions:
                send_at_once(host.port, request_bytes("POST", f"/2015-03-31/functions/{name}/invocations", HTTP_EVENT), 1, 20)
            # Until what the load left to do is done: checkpoints, for one.
            time.sleep(15)
            seconds = 30
            before = last = host.threads()
            start, awake = time.perf_counter(), 0
            while time.perf_counter() - start < seconds:
                # Much shorter than what is between two wake-ups, and longer than what several threads do in one.
                time.sleep(0.05)
                now = host.threads()
                awake += now[1] != last[1]
                last = now
            ran, waited = (after - earlier for after, earlier in zip(last, before))
            self.add("idle host: wake-ups", awake / seconds, "per second", most=1)
            self.add("idle host: times that a thread of it woke", waited / seconds, "per second")
            self.add("idle host: CPU", ran / seconds / 1e7, "%", most=0.05)
            self.add("idle host: resident memory", host.resident_bytes() / 1e6, "MB", most=35)

    def sequential(self):
        """Invocations a second, one after another, with AWS's runtime for Python and through Python's own client."""
        if not self.python:
            return
        folder = REPOSITORY / "docs/examples/python-function"
        command = [self.python, "-m", "awslambdaric", "app.handler"]
        with self.host({"reports": {"command": command, "directory": str(folder), "timeout": "10s"}}) as host:
            self.rate(host, 200)
            rates = [self.rate(host, 1000) for _ in range(5)]
            # What AWS's Runtime Interface Emulator did with the same runtime.
            self.add("sequential: awslambdaric through http.client, rate", max(rates), "per second", least=571)

    @staticmethod
    def rate(host, count):
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=30)
        start = time.perf_counter()
        for _ in range(count):
            connection.request("POST", "/2015-03-31/functions/reports/invocations", b"{}")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200 or answer.headers["X-Amz-Function-Error"]:
                raise SystemExit("programs.py: an invocation of the Python function failed")
        seconds = time.perf_counter() - start
        connection.close()
        return count / seconds

    # What the host can bear.

    def load(self, host, connections, requests, **options):
        """What Benchmarks/c/load.c says of so many requests over so many connections."""
        command = [self.tools / "load", "--port", host.port, "--connections", connections, "--requests", requests]
        for name, value in options.items():
            command += [f"--{name}", value]
        return json.loads(subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout)

    def c_function(self):
        return {"f": {"command": [str(self.tools / "function")], "timeout": "60s"}}

    def scale_out(self):
        """From the first of 100 requests at once until the last of 100 new instances has its event."""
        times = []
        for _ in range(3):
            with self.host(self.c_function()) as host:
                result = self.load(host, 100, 100, body='{"ms":5000}')
                if host.total("lambda_initializations_total") != 100:
                    raise SystemExit("programs.py: 100 requests at once did not start 100 instances")
                times.append(result["handovers"])
        self.add("scale-out: 100 instances at once", min(times), "s", most=2)

    def crowd(self):
        """1,000 instances at once, and 10,000 requests at once on them."""
        with self.host(self.c_function()) as host:
            self.load(host, 1, 100)
            memory, files = host.resident_bytes(), host.open_files()
            self.load(host, 1000, 1000, body='{"ms":10000}')
            deadline = time.perf_counter() + 20
            while host.idle_instances() < 1000 and time.perf_counter() < deadline:
                time.sleep(0.1)
            self.add("crowd: instances alive at once", host.idle_instances(), "instances", least=1000)
            self.add("crowd: host memory per idle instance", (host.resident_bytes() - memory) / 999 / 1024, "KiB", most=64)
            self.add("crowd: open files of the host per instance", (host.open_files() - files) / 999, "files")
            self.lost_of_crowd(host, "a crowd that takes 429 for an answer", {})
            self.lost_of_crowd(host, "a crowd that asks again after 429", {"retry": 200})

    def lost_of_crowd(self, host, name, options):
        """10,000 connections, a request on each at the same time; each is answered, and the host counted what its callers did."""
        before = host.total("lambda_invocations_total"), host.total("lambda_throttles_total")
        result = self.load(host, 10_000, 10_000, body='{"ms":1000}', **options)
        served, refused = result["statuses"].get("200", 0), result["statuses"].get("429", 0)
        invocations = host.total("lambda_invocations_total") - before[0]
        throttles = host.total("lambda_throttles_total") - before[1]
        self.add(f"crowd: 10,000 requests at once, {name}: served", served, "requests", least=10_000 if options else 1000)
        self.add("crowd: the same, throttles on the way", refused + result["retries"], "throttles")
        lost = 10_000 - served - refused + result["errors"]
        wrong = abs(invocations - served) + abs(throttles - refused - result["retries"])
        self.add("crowd: the same, requests without an answer or with an error", lost, "requests", most=0)
        self.add("crowd: the same, difference of the host's totals from its callers'", wrong, "requests", most=0)

    def added_latency(self):
        """What a host that is half busy adds to the time that the function itself takes."""
        with self.host(self.c_function()) as host:
            self.load(host, 8, 4000)
            rate = max(8000 / self.load(host, 8, 8000)["seconds"] for _ in range(3))
            results = [self.load(host, 64, int(rate), rate=rate / 2)["added"] for _ in range(5)]
            best = min(results, key=lambda added: added["p99"])
            self.add("added latency: full load", rate, "per second")
            self.add("added latency: half load, median", best["p50"] / 1000, "ms")
            self.add("added latency: half load, 99th percentile", best["p99"] / 1000, "ms", most=2)

    # What a scrape costs.

    def scrape(self):
        """CPU of the serving process for a scrape of ten thousand functions, beside other programs that serve the same series."""
        with self.store_of_many_functions() as folder:
            with Host(self.kelvin, folder, {"orders": self.orders()}) as host:
                text = get(host.agent_port, "/metrics", "text/plain;version=0.0.4")[0]
                series = sum(not line.startswith(b"#") for line in text.splitlines())
                self.add("scrape: series of 10,000 functions", series, "series", least=1_000_000)
                kelvin = self.formats("Kelvin", host.process.pid, host.agent_port, {"text": 400, "OpenMetrics": 400, "protobuf": 200})
            exposition = Path(folder) / "exposition.txt"
            # Others have families of their own about their process.
            exposition.write_bytes(b"".join(
                line for line in text.splitlines(True) if line.startswith((b"lambda_", b"# HELP lambda_", b"# TYPE lambda_"))))
            with self.pushgateway(exposition) as (process, port):
                other = self.formats("Pushgateway", process.pid, port, {"text": None, "protobuf": None})
            for name in ["text", "protobuf"]:
                self.add(f"scrape: Pushgateway's CPU over Kelvin's, {name}", other[name] / kelvin[name], "times", least=5)
            if self.python:
                with self.client(exposition) as (process, port):
                    other = self.formats("prometheus_client", process.pid, port, {"text": None}, runs=1)
                self.add("scrape: prometheus_client's CPU over Kelvin's, text", other["text"] / kelvin["text"], "times", least=30)

    def formats(self, name, pid, port, wanted, runs=5):
        """CPU seconds of a scrape by format, plain; prints those of gzip, too. `wanted` are megabytes a second, if any."""
        costs = {}
        for kind, least in wanted.items():
            for packed in [False, True]:
                get(port, "/metrics", ACCEPT[kind], packed)
                least_cost = None
                for _ in range(runs):
                    before = processor_seconds(pid)
                    body, content_type = get(port, "/metrics", ACCEPT[kind], packed)
                    # What is less than a tick of the system's clock counts as one.
                    cost = max(processor_seconds(pid) - before, 1 / TICKS_PER_SECOND)
                    least_cost = cost if least_cost is None else min(cost, least_cost)
                if not content_type.startswith(ACCEPT[kind].partition(";")[0]):
                    raise SystemExit(f"programs.py: {name} answers {content_type} instead of {kind}")
                self.add(f"scrape: {name}, {kind}{', gzip' if packed else ''}, CPU", least_cost * 1e3, "ms")
                if packed:
                    continue
                costs[kind] = least_cost
                self.add(f"scrape: {name}, {kind}, of {len(body) / 1e6:.0f} MB", len(body) / 1e6 / least_cost, "MB/s", least=least)
        return costs

    def scrape_latency(self):
        """What a host adds to invocations while ten thousand functions are scraped once a second, and while they are not.

        Where all processors are in use, anything that takes one for as long as a scrape does is felt: so a process of its own that does is
        measured, too.
        """
        with self.store_of_many_functions() as folder, Host(self.kelvin, folder, self.c_function()) as host:
            self.load(host, 8, 4000)
            rate = max(8000 / self.load(host, 8, 8000)["seconds"] for _ in range(3)) / 2

            def added():
                return min(self.load(host, 64, int(rate * 3), rate=rate)["added"]["p99"] for _ in range(4)) / 1000

            quiet = added()
            with scraping(host.agent_port):
                scraped = added()
            with running(["nice", "-n", "19", sys.executable, "-c", BURNER]):
                beside = added()
            self.add("scrape latency: half load, 99th percentile, not scraped", quiet, "ms", most=2)
            self.add("scrape latency: the same, scraped once a second", scraped, "ms")
            self.add("scrape latency: the same, beside a process that takes a processor for 0.3 s of each second", beside, "ms")

    @contextlib.contextmanager
    def store_of_many_functions(self):
        """A folder with the store of ten thousand functions: what a real run stored of one, for each of them."""
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            with Host(self.kelvin, folder, {"orders": self.orders()}) as host:
                send_at_once(host.port, INVOKE, 3, 400)
            # Two places are for the functions that run.
            names = [f"orders-service-{number:05}" for number in range(9_998)]
            repeat_function(Path(folder) / "data/kelvin.db", "orders", names)
            yield folder

    @contextlib.contextmanager
    def pushgateway(self, exposition):
        port = free_port()
        command = ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}", "--push.disable-consistency-check"]
        with running(command) as process:
            wait_for_port(process, port)
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/metrics/job/kelvin", data=exposition.read_bytes(), method="PUT")
            with urllib.request.urlopen(request, timeout=600) as answer:
                if answer.status not in (200, 202):
                    raise SystemExit(f"programs.py: Pushgateway does not take the series: {answer.status}")
            # It takes them in after it has answered.
            deadline = time.perf_counter() + 300
            while len(get(port, "/metrics", ACCEPT["text"])[0]) < exposition.stat().st_size:
                if time.perf_counter() > deadline:
                    raise SystemExit("programs.py: Pushgateway does not show the series that it took")
                time.sleep(1)
            yield process, port

    @contextlib.contextmanager
    def client(self, exposition):
        command = [self.python, str(REPOSITORY / "Benchmarks/serve-with-client.py"), str(exposition)]
        with running(command, stdout=subprocess.PIPE) as process:
            yield process, int(process.stdout.readline())

    # What a function costs.

    def function_start(self):
        """Process start of the Swift example to its first `next`, and the size of its file."""
        report = subprocess.run(
            [sys.executable, str(REPOSITORY / "Benchmarks/runtime-start.py"), self.function],
            check=True, capture_output=True, text=True).stdout
        self.add("Swift function: start to first next, median", figure(report, "start to first next"), "ms", most=5)
        self.add("Swift function: start to first next, least", figure(report, r"start to first next.* median,"), "ms", most=5)
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            stripped = Path(folder) / "stripped"
            self.add("Swift function: file, static and stripped", stripped_size(self.function, stripped), "MB", most=9)
            if b"INTERP" in subprocess.run(["readelf", "-l", str(stripped)], check=True, capture_output=True).stdout:
                raise SystemExit(f"programs.py: {self.function} is not linked statically")

    # What is around it.

    def size(self):
        """What make install puts on a disk."""
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            self.add("kelvin: file, stripped", stripped_size(self.kelvin, Path(folder) / "stripped"), "MB", most=50)

    def start(self):
        """Process start of the host to the first answer that it is ready."""
        functions = several_functions(self.orders())
        times = []
        for _ in range(15):
            with self.host(functions) as host:
                times.append(host.ready * 1e3)
        self.add("host: start to ready, empty store", statistics.median(times), "ms", most=100)
        with self.store_of_hours() as folder:
            times = []
            for _ in range(15):
                with Host(self.kelvin, folder, functions) as host:
                    times.append(host.ready * 1e3)
        self.add("host: start to ready, store of 12 h", statistics.median(times), "ms", most=100)

    def metrics(self):
        """CPU of a whole `kelvin metrics lambda` that asks a running agent."""
        with self.store_of_hours() as folder, Host(self.kelvin, folder, several_functions(self.orders())) as host:
            agent = ["--agent", f"http://127.0.0.1:{host.agent_port}"]
            for what, extra in [
                ("", []), (", one function", ["--function", "orders"]), (", 720 windows", ["--resolution", "1m"]),
                (", 720 windows as JSON", ["--resolution", "1m", "--output", "json"]),
            ]:
                costs = [self.command_cost(["metrics", "lambda", "--range", "12h", *extra, *agent]) for _ in range(31)]
                self.add(f"metrics lambda: 12 h{what}, CPU", statistics.median(costs) * 1e3, "ms", most=40)

    def page(self):
        """The page on an agent of 10,000 functions; needs Chromium."""
        import page

        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            with Host(self.kelvin, folder, {"orders": self.orders()}) as host:
                send_at_once(
                    host.port, request_bytes("POST", "/2015-03-31/functions/orders/invocations", HTTP_EVENT), 3, 40)
            page.many_functions(Path(folder) / "data/kelvin.db", count=9_990, minutes=40)
            page.measure(self.kelvin, folder, free_port(), processor_seconds, self.add)

    def command_cost(self, arguments):
        process = subprocess.Popen(
            [self.kelvin, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode != 0:
            raise SystemExit(f"programs.py: kelvin {' '.join(arguments)} failed: {output.decode()}")
        return usage.ru_utime + usage.ru_stime

    @contextlib.contextmanager
    def store_of_hours(self):
        """A folder with the store of 12 hours: what a real run stored, repeated for every minute of them."""
        with tempfile.TemporaryDirectory(prefix="kelvin-bench-") as folder:
            functions = several_functions(self.orders())
            with Host(self.kelvin, folder, functions) as host:
                for name in functions:
                    path = f"/2015-03-31/functions/{name}/invocations"
                    send_at_once(host.port, request_bytes("POST", path, HTTP_EVENT), 3, 40)
            repeat_windows(Path(folder) / "data/kelvin.db", minutes=720)
            yield folder


ACCEPT = {
    "text": "text/plain;version=0.0.4", "OpenMetrics": "application/openmetrics-text;version=1.0.0",
    "protobuf": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
}


def get(port, path, accept, packed=False):
    """A body as it comes, and its type."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", path, headers={"Accept": accept, "Accept-Encoding": "gzip" if packed else "identity"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"programs.py: {path} is answered with {answer.status}")
    return body, answer.headers["Content-Type"]


# Takes a processor for as long as a scrape of ten thousand functions with gzip, once a second.
BURNER = """
import time
while True:
    began = time.process_time()
    while time.process_time() - began < 0.3:
        pass
    time.sleep(1)
"""


@contextlib.contextmanager
def scraping(port):
    """Scrapes once a second as Prometheus does, beside whatever is done meanwhile."""
    end = threading.Event()

    def scrape():
        while not end.wait(1):
            get(port, "/metrics", ACCEPT["OpenMetrics"], True)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@contextlib.contextmanager
def running(command, **options):
    """Another program, which is ended by its process id."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **{"stdout": log, "stderr": log, **options})
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_port(process, port):
    deadline = time.perf_counter() + 30
    while time.perf_counter() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.01)
    raise SystemExit(f"programs.py: {process.args[0]} does not listen")


def several_functions(settings):
    return {name: settings for name in ["orders", "invoices", "mails", "searches", "exports", "imports"]}


def repeat_windows(path, minutes):
    """Writes the rows of the newest window again, as final ones, for each of the minutes before, and into the coarser tiers."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        newest = database.execute("SELECT max(start) FROM rollups WHERE length = ?", (MINUTE,)).fetchone()[0]
        rows = database.execute(
            "SELECT scope, data FROM rollups WHERE length = ? AND start = ?", (MINUTE, newest)).fetchall()
        for length in [MINUTE, 5 * MINUTE, 60 * MINUTE]:
            # Only windows that are over, so that none of them is one that the agent still has open.
            latest = (newest - 20 * MINUTE) // length * length
            starts = range(latest, newest - minutes * MINUTE, -length)
            database.executemany(
                "INSERT OR IGNORE INTO rollups (length, start, scope, final, data) VALUES (?, ?, ?, 1, ?)",
                ((length, start, scope, data) for start in starts for scope, data in rows))


def stripped_size(program, stripped):
    """Megabytes of a program without its symbols, which is written to `stripped`."""
    subprocess.run(["strip", "-o", str(stripped), program], check=True)
    return stripped.stat().st_size / 1e6


def figure(report, name):
    """The first number behind a name in what runtime-start.py prints."""
    found = re.search(name + r" *(\d+\.\d+)", report)
    if not found:
        raise SystemExit(f"programs.py: runtime-start.py does not tell {name}:\n{report}")
    return float(found[1])


def number(value):
    return f"{value:.0f}" if value >= 100 or value == round(value) else f"{value:.2f}"


def table(rows):
    """Like the table of the benchmarks in one process, Benchmarks/kelvin-bench/Benchmark.swift."""
    lines = [("Benchmark", "Measured", "Wanted", "")]
    for name, value, unit, most, least in rows:
        wanted = verdict = ""
        if most is not None:
            wanted, verdict = f"at most {number(most)} {unit}", "met" if value <= most else "MISSED"
        if least is not None:
            wanted, verdict = f"at least {number(least)} {unit}", "met" if value >= least else "MISSED"
        lines.append((name, f"{number(value)} {unit}", wanted, verdict))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return "\n".join(
        f"{line[0]:<{widths[0]}}  {line[1]:>{widths[1]}}  {line[2]:>{widths[2]}}  {line[3]}".rstrip() for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kelvin", required=True, help="the command line, with kelvin-launcher beside it")
    parser.add_argument("--bare", required=True, help="the program of Benchmarks/bare-http")
    parser.add_argument("--function", required=True, help="the program of docs/examples/swift-function")
    parser.add_argument("--tools", required=True, help="the folder of the programs that are built of Benchmarks/c")
    parser.add_argument("--python", help="an interpreter with awslambdaric")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    arguments.kelvin, arguments.function = os.path.abspath(arguments.kelvin), os.path.abspath(arguments.function)
    arguments.tools, arguments.bare = os.path.abspath(arguments.tools), os.path.abspath(arguments.bare)
    if arguments.python:
        arguments.python = os.path.abspath(arguments.python)
    if not shutil.which("strip"):
        parser.error("strip is missing (Debian package binutils)")
    programs = Programs(arguments)
    benchmarks = {
        "warm-invoke": programs.warm_invoke, "idle": programs.idle, "queues": programs.queues, "sockets": programs.sockets, "ingest": programs.ingest, "ingest-crowd": programs.ingest_crowd,
        "ingest-restart": programs.ingest_restart, "import": programs.log_import,
        "reporting": programs.reporting, "streaming": programs.streaming,
        "sequential": programs.sequential, "scale-out": programs.scale_out,
        "crowd": programs.crowd, "added-latency": programs.added_latency, "function-start": programs.function_start,
        "size": programs.size, "start": programs.start, "metrics": programs.metrics, "scrape": programs.scrape,
        "latency-while-scraped": programs.scrape_latency, "page": programs.page,
    }
    chosen = [name for name in benchmarks if not arguments.names or any(map(name.startswith, arguments.names))]
    if not chosen:
        parser.error(f"there is no such benchmark; there are {', '.join(benchmarks)}")
    for name in chosen:
        benchmarks[name]()
    report = table(programs.rows)
    print(report)
    return 1 if "MISSED" in report else 0


if __name__ == "__main__":
    sys.exit(main())
