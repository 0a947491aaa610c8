"""Recomputes windows from the request log of a load driver, and compares them with those of Kelvin.

Shares nothing with Kelvin's own code: intervals are swept in plain Python over all requests of the log.

    python recompute.py LOG.ndjson WINDOWS.json SECONDS [FUNCTION]

A line of the log is one answer:
    {"function", "via": "invoke" | "url", "asked", "status", "failed", "type", "reason", "start", "handover", "end", "cold"}
with times in nanoseconds since the epoch, as the host's headers X-Kelvin-Start, -Handover and -End say.
"""
import calendar
import json
import math
import sys
import time
from collections import Counter
from decimal import Decimal

# The width of a bucket of a native histogram in schema 4: the most that a quantile can be off.
BUCKET = 2 ** (1 / 32)


def outcome(record):
    """The outcome of an invocation, and the source if it is a timeout."""
    if record["via"] == "invoke":
        if not record["failed"]:
            return "success", None
        by_type = {
            "Sandbox.Timedout": ("timeout", "platform"), "Function.HandlerTimeout": ("timeout", "handler"),
            "Runtime.ExitError": ("crash", None),
        }
        return by_type.get(record["type"], ("error", None))
    # A function URL does not say more of failures than the status; what was asked of the function does.
    if record["status"] == 504:
        return "timeout", record.get("timeout") or ("handler" if record["asked"] in ("slow", "stuck") else "platform")
    if record["status"] == 502:
        return ("crash" if record["asked"] in ("exit", "crash") else "error"), None
    return "success", None


def sweep(intervals, first, end):
    """The largest number of half-open intervals over one instant of [first, end), and their integral over it.

    At one instant, ends come before starts.
    """
    edges = []
    for start, stop in intervals:
        if start < end and stop > first:
            edges += [(max(start, first), 1), (min(stop, end), -1)]
    edges.sort()  # Ends before starts.
    now = largest = 0
    for instant, step in edges:
        now += step
        if instant < end:
            largest = max(largest, now)
    return largest, sum(max(0, min(stop, end) - max(start, first)) for start, stop in intervals)


def recompute(records, length):
    """Windows by start, of all records together; `length` in nanoseconds."""
    windows = {}

    def window(instant):
        start = instant // length * length
        return windows.setdefault(start, {
            "start": start, "invocations": 0, "errors": 0, "throttles": 0, "throttlesByReason": Counter(), "timeouts": 0,
            "timeoutsBySource": Counter(), "crashes": 0, "coldStarts": 0, "invocationsByTrigger": Counter(),
            "durations": [], "intervals": []})

    for record in records:
        at = window(record["start"])
        if record["status"] == 429:
            at["throttles"] += 1
            at["throttlesByReason"][record["reason"]] += 1
            continue
        how, source = outcome(record)
        at["invocations"] += 1
        at["invocationsByTrigger"]["http" if record["via"] == "url" else "direct"] += 1
        at["errors"] += how != "success"
        at["crashes"] += how == "crash"
        at["coldStarts"] += record["cold"]
        if how == "timeout":
            at["timeouts"] += 1
            at["timeoutsBySource"][source] += 1
        at["durations"].append(record["end"] - record["handover"])
        # An execution of no length counts as one of a nanosecond.
        interval = (record["start"], max(record["end"], record["start"] + 1))
        for start in range(at["start"], interval[1], length):
            window(start)["intervals"].append(interval)
    for start, values in windows.items():
        values["concurrencyMax"], values["concurrencyNanoseconds"] = sweep(values["intervals"], start, start + length)
    return windows


def nanoseconds(text):
    """Of an RFC 3339 time in UTC with whole seconds."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) * 10**9


def exact(seconds):
    """Decimal seconds as whole nanoseconds."""
    scaled = Decimal(seconds) * 10**9
    assert scaled == scaled.to_integral_value(), f"{seconds} s is no whole number of nanoseconds"
    return int(scaled)


def quantile(values, share):
    """The smallest value that at least that share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def differences(records, document, length, allowed=BUCKET):
    """What differs between the log and an answer of /api/v1/windows, as sentences; none if all is equal."""
    mine = recompute(records, length)
    theirs = {nanoseconds(window["start"]): window for window in document["windows"]}
    problems = []
    for start in sorted(mine.keys() | theirs.keys()):
        expected = mine.get(start)
        if expected is None:
            expected = {"durations": [], "concurrencyMax": 0, "concurrencyNanoseconds": 0}
        shown = theirs.get(start)
        if shown is None:
            problems.append(f"{start}: there is no such window, and {expected['invocations']} invocations began in it")
            continue

        def check(name, actual, wanted, start=start):
            if actual != wanted:
                problems.append(f"{start} {name}: shown {actual}, recomputed {wanted}")

        check("end", nanoseconds(shown["end"]), start + length)
        for name in ("invocations", "errors", "throttles", "timeouts", "crashes", "coldStarts"):
            check(name, shown[name], expected.get(name, 0))
        for name in ("throttlesByReason", "timeoutsBySource", "invocationsByTrigger"):
            check(name, shown[name], dict(expected.get(name, {})))
        check("concurrencyMax", shown["concurrencyMax"], expected["concurrencyMax"])
        check("concurrencySeconds", exact(shown["concurrencySeconds"]), expected["concurrencyNanoseconds"])
        durations, shown = expected["durations"], shown["duration"]
        check("duration.count", shown["count"], len(durations))
        if durations and shown["count"]:
            check("duration.sum", exact(shown["sum"]), sum(durations))
            check("duration.min", exact(shown["min"]), min(durations))
            check("duration.max", exact(shown["max"]), max(durations))
            for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
                actual, wanted = exact(shown[name]), quantile(durations, share)
                # What is shown is rounded to whole nanoseconds.
                if not wanted / allowed - 1 <= actual <= wanted * allowed + 1:
                    problems.append(f"{start} duration.{name}: shown {actual}, recomputed {wanted}")
    return problems


def main():
    if len(sys.argv) not in (4, 5):
        print(__doc__, file=sys.stderr)
        return 64
    with open(sys.argv[1], encoding="utf-8") as log:
        records = [json.loads(line) for line in log]
    if len(sys.argv) == 5:
        records = [record for record in records if record["function"] == sys.argv[4]]
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file, parse_float=Decimal)
    problems = differences(records, document, int(sys.argv[3]) * 10**9)
    print("\n".join(problems) or f"{len(records)} answers, {len(document['windows'])} windows: all equal")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
