"""What a Swift function pays for telling an agent of itself: for `Benchmarks/programs.py`."""
import contextlib
import os
import socket
import statistics
import subprocess
import threading
import time
import uuid

EVENTS = 10_000


class Runtime(threading.Thread):
    """The Runtime API for one function: hands out events, each with an id of its own, and then closes."""

    def __init__(self, events):
        super().__init__(daemon=True)
        self.events = events
        self.round_trips = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def run(self):
        connection, _ = self.listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.listener.close()
        sent, handed, buffer = 0, 0.0, b""
        while True:
            while b"\r\n\r\n" not in buffer:
                piece = connection.recv(65536)
                if not piece:
                    return
                buffer += piece
            now = time.perf_counter()
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
            while len(buffer) < length:
                buffer += connection.recv(65536)
            buffer = buffer[length:]
            if b"/invocation/next" not in head:
                if b"/response" in head:
                    self.round_trips.append(now - handed)
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                continue
            if sent == self.events:
                connection.close()
                return
            sent += 1
            body = b'{"rawPath":"/","requestContext":{"http":{"method":"GET"}}}'
            answer = (
                b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: %s\r\nLambda-Runtime-Deadline-Ms: %d\r\nContent-Length: %d\r\n\r\n%s"
                % (str(uuid.uuid4()).encode(), time.time() * 1000 + 60000, len(body), body))
            handed = time.perf_counter()
            connection.sendall(answer)


def run(function, report_to, events=EVENTS):
    """CPU of the function's process in seconds, and the median from an event to its answer in seconds."""
    runtime = Runtime(events)
    runtime.start()
    environment = {"AWS_LAMBDA_RUNTIME_API": runtime.address, "AWS_LAMBDA_FUNCTION_NAME": "orders"}
    if report_to:
        environment["KELVIN_REPORT_TO"] = report_to
    process = subprocess.Popen([function], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    runtime.join(10)
    if len(runtime.round_trips) != events:
        raise SystemExit(f"reporting.py: {len(runtime.round_trips)} of {events} events were answered")
    return usage.ru_utime + usage.ru_stime, statistics.median(runtime.round_trips)


@contextlib.contextmanager
def refusing():
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield "127.0.0.1:%d" % taken.getsockname()[1]


@contextlib.contextmanager
def black_hole():
    """A server that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield "127.0.0.1:%d" % listener.getsockname()[1]


@contextlib.contextmanager
def slow():
    """A server that answers each batch a second late."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection):
            with contextlib.suppress(OSError), connection:
                buffer = b""
                while piece := connection.recv(1 << 20):
                    buffer += piece
                    head, end, rest = buffer.partition(b"\r\n\r\n")
                    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
                    if end and len(rest) >= length:
                        time.sleep(1)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                        buffer = rest[length:]

        threading.Thread(target=serve, daemon=True).start()
        yield "127.0.0.1:%d" % listener.getsockname()[1]


def compared(function, report_to, rounds=5):
    """In turns with and without reports: what reports add to the CPU of an invocation, in microseconds, and the ratio of the latencies."""
    added, ratios = [], []
    for _ in range(rounds):
        plain, reported = run(function, None), run(function, report_to)
        added.append((reported[0] - plain[0]) / EVENTS * 1e6)
        ratios.append(reported[1] / plain[1])
    return statistics.median(added), statistics.median(ratios)
