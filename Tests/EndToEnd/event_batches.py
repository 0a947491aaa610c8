"""Batches of events as docs/formats/events.md has them, written by hand: https://protobuf.dev/programming-guides/encoding/

Events are dictionaries with the members of lines of JSON, but for lengths of time, which are whole nanoseconds here.
"""
import json
import struct
import uuid

LINES = {"Content-Type": "application/x-ndjson"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
GZIP = {"Content-Encoding": "gzip"}
TRIGGERS = ["http", "websocket", "queue", "schedule", "direct"]
OUTCOMES = ["success", "error", "timeout", "crash", "out-of-memory"]
TIMEOUT_SOURCES = [None, "init", "handler", "platform", "gateway"]
THROTTLE_REASONS = ["ConcurrentInvocationLimitExceeded", "ReservedFunctionConcurrentInvocationLimitExceeded"]
UNRESERVED = 2
LENGTHS = ("duration", "wait")


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def data(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def numbers(field, *values):
    return data(field, struct.pack(f"<{len(values)}q", *values))


def words(field, known, values):
    return data(field, bytes(known.index(value) for value in values))


def requests(field, rows):
    return data(field, b"".join(uuid.UUID(row["request"]).bytes for row in rows))


def started(rows):
    return (
        requests(1, rows) + numbers(2, *[row["time"] for row in rows])
        + words(3, TRIGGERS, [row["trigger"] for row in rows]) + data(4, bytes([UNRESERVED] * len(rows))))


def finished(rows):
    return (
        requests(1, rows) + numbers(2, *[row["start"] for row in rows]) + numbers(3, *[row["duration"] for row in rows])
        + words(4, TRIGGERS, [row["trigger"] for row in rows]) + data(5, bytes([UNRESERVED] * len(rows)))
        + words(6, OUTCOMES, [row["outcome"] for row in rows]) + numbers(7, *[row["wait"] for row in rows])
        + data(8, bytes(row["coldStart"] for row in rows))
        + words(10, TIMEOUT_SOURCES, [row.get("timeoutSource") for row in rows]))


def throttled(rows):
    return (
        numbers(1, *[row["time"] for row in rows]) + words(2, THROTTLE_REASONS, [row["reason"] for row in rows])
        + words(3, TRIGGERS, [row["trigger"] for row in rows]))


# The field of each table, and what writes it.
TABLES = {"invocationStarted": (7, started), "invocationFinished": (9, finished), "throttled": (12, throttled)}


def protobuf(source, sequence, events):
    """A batch, with a subject for each function."""
    body = data(1, source) + varint(2 << 3) + varint(sequence)
    for function in sorted({event["function"] for event in events}):
        subject = data(1, function.encode())
        for kind, (field, write) in TABLES.items():
            rows = [event for event in events if (event["function"], event["event"]) == (function, kind)]
            if rows:
                subject += data(field, write(rows))
        body += data(3, subject)
    return body


def lines(events, source=None, sequence=None):
    """A batch as lines; with a source, it is named by the first."""
    head = [] if source is None else [{"source": source.hex(), "sequence": sequence}]
    texts = [
        {name: value / 10**9 if name in LENGTHS else value for name, value in event.items() if value is not None}
        for event in events]
    return "".join(json.dumps(line) + "\n" for line in head + texts).encode()
