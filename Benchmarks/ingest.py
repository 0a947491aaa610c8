"""Batches of events as sources send them, and what takes them: for `Benchmarks/programs.py`."""
import gzip
import json
import random
import re
import socket
import struct
import threading
import time
import uuid

FUNCTIONS = 100
CONNECTIONS = 16
BATCH_EVENTS = 500
PUSHED_INVOCATIONS = 200
MINUTE_SECONDS = 60


class Event:
    """A finished invocation."""

    __slots__ = ("function", "instance", "request", "start", "duration", "memory")

    def __init__(self, rng, now):
        self.function = rng.randrange(FUNCTIONS)
        self.instance = rng.randrange(4)
        self.request = rng.randbytes(16)
        self.duration = rng.randrange(1_000_000, 80_000_000)
        self.start = now - rng.randrange(100_000_000, MINUTE_SECONDS * 1_000_000_000)
        self.memory = rng.randrange(40_000_000, 41_000_000)

    @property
    def name(self):
        return f"function-{self.function}"

    def instance_id(self, source):
        return source[:8] + struct.pack(">II", self.function + 1, self.instance + 1)


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def protobuf(source, sequence, events):
    """A batch as docs/formats/events.md says: a subject for each instance, its events in columns."""
    subjects = {}
    for event in events:
        subjects.setdefault((event.function, event.instance), []).append(event)
    out = field(1, source) + varint(2 << 3) + varint(sequence)
    for rows in subjects.values():
        count = len(rows)
        longs = lambda values: struct.pack(f"<{count}q", *values)  # noqa: E731
        table = (
            field(1, b"".join(row.request for row in rows)) + field(2, longs(row.start for row in rows))
            + field(3, longs(row.duration for row in rows)) + field(4, bytes(count)) + field(5, b"\2" * count)
            + field(6, bytes(count)) + field(11, struct.pack(f"<{count}I", *[200] * count))
            + field(12, longs(row.duration for row in rows)) + field(13, longs(row.memory for row in rows)))
        first = rows[0]
        out += field(3, field(1, first.name.encode()) + field(3, first.instance_id(source)) + field(9, table))
    return out


def lines(source, sequence, events):
    """The same as lines of JSON."""
    out = [f'{{"source":"{source.hex()}","sequence":{sequence}}}']
    for event in events:
        out.append(
            f'{{"event":"invocationFinished","function":"{event.name}","instance":"{event.instance_id(source).hex()}",'
            f'"request":"{event.request.hex()}","start":{event.start},"duration":{event.duration / 1e9:.9f},'
            f'"trigger":"http","pool":"unreserved","outcome":"success","responseStatus":200,'
            f'"billed":{event.duration / 1e9:.9f},"memoryUsedBytes":{event.memory}}}')
    return ("\n".join(out) + "\n").encode()


def samples(_, sequence, events):
    """Three samples for each event, as a Prometheus client would export them."""
    out = []
    for event in events:
        labels = f'{{function="{event.name}",instance="{event.instance}"}}'
        at = (event.start + event.duration) // 1_000_000
        out += [
            f"lambda_invocations_total{labels} {sequence} {at}",
            f"lambda_invocation_duration_seconds{labels} {event.duration / 1e9:.6f} {at}",
            f"lambda_memory_used_bytes{labels} {event.memory} {at}"]
    return ("\n".join(out) + "\n").encode()


def requests(path, content_type, encode, batches):
    """For each connection the requests that it sends: all different, gzip, over the last minute."""
    rng = random.Random(7)
    now = time.time_ns()
    result = []
    for _ in range(CONNECTIONS):
        source = rng.randbytes(16)
        own = []
        for sequence in range(1, batches + 1):
            body = gzip.compress(encode(source, sequence, [Event(rng, now) for _ in range(BATCH_EVENTS)]), 6)
            own.append(
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Encoding: gzip\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        result.append(own)
    return result


def http(body):
    return (f"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def crowd(functions, instances):
    """For each connection the batches that start so many instances of so many functions; each has ended one invocation."""
    now, result = time.time_ns(), []
    for connection in range(CONNECTIONS):
        own, source = [], random.randbytes(16)
        for sequence, first in enumerate(range(connection, functions, CONNECTIONS * 50), 1):
            out = field(1, source) + varint(2 << 3) + varint(sequence)
            for function in range(first, min(functions, first + CONNECTIONS * 50), CONNECTIONS):
                for instance in range(instances):
                    long = lambda value: struct.pack("<q", value)  # noqa: E731
                    started = field(1, long(now - 9_000_000_000)) + field(2, b"\0") + field(3, long(128 << 20))
                    ended = (
                        field(1, random.randbytes(16)) + field(2, long(now - 8_000_000_000)) + field(3, long(5_000_000 + instance))
                        + field(4, b"\0") + field(5, b"\2") + field(6, b"\0"))
                    name = f"function-{function:05}".encode()
                    out += field(3, field(1, name) + field(3, struct.pack(">QQ", function + 1, instance + 1)) + field(4, started) + field(9, ended))
            own.append(http(out))
        result.append(own)
    return result


class Flood:
    """Batches of 500 events over the last minute, made as they are sent, each with requests of its own."""

    SUBJECTS, ROWS = 20, 25

    def __init__(self, batches, seed):
        rng, now = random.Random(seed), time.time_ns()
        self.batches, self.source, self.subjects = batches, rng.randbytes(16), []
        for _ in range(FUNCTIONS // self.SUBJECTS * 4):
            subjects = []
            for _ in range(self.SUBJECTS):
                longs = lambda values: struct.pack(f"<{self.ROWS}q", *values)  # noqa: E731
                lengths = [rng.randrange(1_000_000, 80_000_000) for _ in range(self.ROWS)]
                table = (
                    field(2, longs(now - rng.randrange(100_000_000, MINUTE_SECONDS * 1_000_000_000) for _ in lengths)) + field(3, longs(lengths))
                    + field(4, bytes(self.ROWS)) + field(5, b"\2" * self.ROWS) + field(6, bytes(self.ROWS)))
                function = rng.randrange(FUNCTIONS)
                head = field(1, f"function-{function}".encode()) + field(3, self.source[:8] + struct.pack(">II", function + 1, rng.randrange(4) + 1))
                subjects.append((head, table))
            self.subjects.append(subjects)

    def __iter__(self):
        for sequence in range(1, self.batches + 1):
            out = [field(1, self.source) + varint(2 << 3) + varint(sequence)]
            for head, table in self.subjects[sequence % len(self.subjects)]:
                out.append(field(3, head + field(9, field(1, random.randbytes(16 * self.ROWS)) + table)))
            yield http(b"".join(out))


def stamp(nanoseconds):
    milliseconds = nanoseconds // 1_000_000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000)) + f".{milliseconds % 1000:03}Z"


def request_id(event):
    return str(uuid.UUID(bytes=event.request))


def tail(file, size):
    """Writes a log of about so many bytes as `aws logs tail` does, of 200 streams, every fourth line a program's. Returns its invocations."""
    rng, first, streams, written, count = random.Random(3), 1_795_428_000_000, 200, 0, 0
    names = [f"2026/11/24/[$LATEST]{rng.getrandbits(128):032x}" for _ in range(streams)]
    free = [first] * streams
    while written < size:
        place = count % streams
        start, length = free[place] + rng.randrange(1, 40), rng.randrange(1, 400)
        free[place] = start + length + 2
        request = uuid.UUID(int=rng.getrandbits(128))
        begin, end = (f"{stamp(at * 1_000_000)[:-1]}000+00:00 {names[place]}" for at in (start, start + length))
        text = (
            f"{begin} START RequestId: {request} Version: $LATEST\n"
            f'{begin} {{"level":"INFO","msg":"order {count} accepted","items":{count % 7},"customer":"{count * 7919 % 100_000}"}}\n'
            f"{end} END RequestId: {request}\n"
            f"{end} REPORT RequestId: {request}\tDuration: {length}.25 ms\tBilled Duration: {length + 1} ms\tMemory Size: 128 MB\t"
            "Max Memory Used: 70 MB\t\n")
        file.write(text)
        written += len(text)
        count += 1
    return count


def telemetry(function, instance, events):
    """The records of some invocations of an instance as the Telemetry API hands them on, their number, and where to send them."""
    records = []
    for event in events:
        milliseconds = event.duration / 1e6
        records += [
            {"time": stamp(event.start), "type": "platform.start", "record": {"requestId": request_id(event), "version": "$LATEST"}},
            {"time": stamp(event.start + event.duration), "type": "platform.report", "record": {
                "requestId": request_id(event), "status": "success", "metrics": {
                    "durationMs": milliseconds, "billedDurationMs": int(milliseconds) + 1, "memorySizeMB": 128, "maxMemoryUsedMB": 40}}}]
    return json.dumps(records, separators=(",", ":")).encode(), len(records), f"/v1/telemetry?function={function}&instance={instance}"


def log_lines(function, instance, events):
    """The lines of the same as CloudWatch Logs hands them to a subscriber."""
    lines = []
    for event in events:
        milliseconds = event.duration / 1e6
        lines += [
            (event.start, f"START RequestId: {request_id(event)} Version: $LATEST\n"),
            (event.start + event.duration, f"END RequestId: {request_id(event)}\n"),
            (event.start + event.duration,
             f"REPORT RequestId: {request_id(event)}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {int(milliseconds) + 1} ms\t"
             "Memory Size: 128 MB\tMax Memory Used: 40 MB\t\n")]
    document = {
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": f"/aws/lambda/{function}",
        "logStream": f"2026/11/30/[$LATEST]{instance}", "subscriptionFilters": ["kelvin"],
        "logEvents": [{"id": f"{number:056}", "timestamp": at // 1_000_000, "message": line} for number, (at, line) in enumerate(lines)]}
    return json.dumps(document, separators=(",", ":")).encode(), len(lines), "/v1/logs"


def pushes(make, batches):
    """For each connection the requests of its instances, and how many records or lines, and invocations, all have together."""
    rng = random.Random(8)
    now = time.time_ns()
    result, records = [], 0
    for connection in range(CONNECTIONS):
        own = []
        for number in range(batches):
            body, count, path = make(f"function-{rng.randrange(FUNCTIONS)}", f"{connection * batches + number + 1:032x}",
                                     [Event(rng, now) for _ in range(PUSHED_INVOCATIONS)])
            records += count
            body = gzip.compress(body, 6)
            own.append(
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        result.append(own)
    return result, records, CONNECTIONS * batches * PUSHED_INVOCATIONS


def send(port, prepared):
    """Sends what was prepared, each connection one request after the other. Returns what was answered with another status than 2xx."""
    failures = []

    def run(own):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in own:
                head, body = exchange(connection, request)
                while head.startswith(b"HTTP/1.1 429"):
                    # The agent says how fast one sender may be.
                    time.sleep(0.2)
                    head, body = exchange(connection, request)
                if not head.startswith(b"HTTP/1.1 2"):
                    failures.append((head + b" " + body)[:500])

    threads = [threading.Thread(target=run, args=(own,)) for own in prepared]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def exchange(connection, request):
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while len(body) < (int(length[1]) if length else 0):
        body += receive(connection)
    return head, body


def receive(connection):
    more = connection.recv(65536)
    if not more:
        raise SystemExit("ingest.py: a connection was closed in the middle of an answer")
    return more


def settled(seconds):
    """What `seconds()` says once it does not grow any more: what is done behind an answer counts, too."""
    last = seconds()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(1.5)
        now = seconds()
        if now - last < 0.02:
            return now
        last = now
    return last
