"""Queues, schedules, sockets and HTTP in numbers: a story posted at an agent as lines of JSON, beside a plain computation of it."""
import json
import random
import re
import time
import uuid
from datetime import datetime, timezone

import pytest

from event_batches import LINES
from kelvin_host import request

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@pytest.fixture(scope="module")
def agent(hosts):
    return hosts({"unused": {"command": ["true"]}}).start()


def post(agent, events):
    body = "".join(json.dumps(event) + "\n" for event in events).encode()
    reply = request(agent.agent, "POST", "/v1/events", body, LINES)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def changed(queue, at, *changes, kind="queue"):
    return {"event": "sourceChanged", kind: queue, "time": at, "changes": list(changes)}


def shown(agent, *arguments):
    """What a command prints."""
    done = agent.run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def windows(agent, query):
    reply = request(agent.agent, "GET", f"/api/v1/windows?{query}")
    assert reply.status == 200, reply.body
    return json.loads(reply.body)["windows"]


class Queue:
    """A queue that works off messages at random times and fails some of them; it tells what happens, and keeps it for itself."""

    def __init__(self, name, begin, seed):
        self.name, self.random, self.events, self.told = name, random.Random(seed), [], []
        self.waiting, self.flying, self.at = [], 0, begin

    def tell(self, **counts):
        changes = [{"counted": word.replace("_", "-"), "count": count} for word, count in counts.items()]
        changes += [{"level": "waiting", "value": len(self.waiting)}, {"level": "in-flight", "value": self.flying}]
        changes.append({"oldest": min(self.waiting) if self.waiting else None})
        self.events.append(changed(self.name, self.at, *changes))
        self.told.append((self.at, counts, len(self.waiting), self.flying, min(self.waiting, default=None)))

    def live(self, steps):
        for _ in range(steps):
            self.at += self.random.choice([1, SECOND // 3, 4 * SECOND, 20 * SECOND])
            if self.random.random() < 0.5:
                self.waiting.append(self.at)
                self.tell(received=1)
            elif self.waiting:
                self.waiting.remove(min(self.waiting))
                self.flying += 1
                self.tell(delivered=1)
            elif self.flying:
                self.flying -= 1
                outcome = self.random.choice(["processed", "failed", "timed_out"])
                if outcome != "processed":
                    self.waiting.append(self.at)
                self.tell(**{outcome: 1})

    def window(self, start, end, now):
        """Counts, and the maxima of what waited, was in flight, and was the oldest, of every instant."""
        counts, waiting, flying, oldest = {}, 0, 0, 0
        for position, (at, told, depth, flight, since) in enumerate(self.told):
            until = self.told[position + 1][0] if position + 1 < len(self.told) else max(at, now)
            if start <= at < end:
                for word, count in told.items():
                    counts[word] = counts.get(word, 0) + count
            if (at < end and until > start) or start <= at < end:
                waiting, flying = max(waiting, depth), max(flying, flight)
                if since is not None:
                    oldest = max(oldest, min(until, end) - since)
        return counts, waiting, flying, oldest


def rfc3339(nanoseconds):
    return datetime.fromtimestamp(nanoseconds // SECOND, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_queue_tells_the_same_everywhere_as_a_plain_computation(agent):
    now = time.time_ns()
    queue = Queue("mail.fifo", now - 9 * MINUTE, seed=7)
    queue.live(100)
    queue.events = [event for event in queue.events if event["time"] < now]
    queue.told = queue.told[:len(queue.events)]
    random.Random(1).shuffle(queue.events)
    assert post(agent, queue.events)["rejected"] == 0
    found = {window["start"]: window for window in windows(agent, "queue=mail.fifo&range=10m&resolution=1m")}
    members = {"received": "received", "delivered": "delivered", "processed": "processed", "failed": "failed", "timed_out": "timedOut"}
    totals = {}
    first = (now - 9 * MINUTE) // MINUTE * MINUTE
    # The window that is open grows older while the test looks at it.
    for start in range(first, now // MINUTE * MINUTE, MINUTE):
        counts, waiting, flying, oldest = queue.window(start, start + MINUTE, now)
        window = found.get(rfc3339(start), {})
        for word, member in members.items():
            assert window.get(member, 0) == counts.get(word, 0), (rfc3339(start), member)
        assert (window.get("waitingMax", 0), window.get("inFlightMax", 0)) == (waiting, flying), rfc3339(start)
        assert abs(window.get("oldestAgeMax", 0) - oldest / SECOND) < 1e-6, rfc3339(start)
    for _, counts, *_ in queue.told:
        for word, count in counts.items():
            totals[word] = totals.get(word, 0) + count
    metrics = agent.metrics()
    for word in members:
        assert metrics.total(f"lambda_queue_messages_{word}_total", queue="mail.fifo") == totals.get(word, 0)
    assert metrics.total("lambda_queue_messages_waiting", queue="mail.fifo") == queue.told[-1][2]
    table = shown(agent, "metrics", "queue", "mail.fifo", "--range", "10m", "--resolution", "1m", "--output", "csv")
    rows = [dict(zip(table.splitlines()[0].split(","), line.split(","))) for line in table.splitlines()[1:]]
    assert sum(int(row["received"] or 0) for row in rows) == totals["received"]
    assert max(int(row["waiting_max"] or 0) for row in rows) == max(depth for _, _, depth, *_ in queue.told)


def test_schedules_sockets_and_status(agent):
    now = time.time_ns()
    assert post(agent, [
        changed("nightly", now - 2 * SECOND, {"counted": "received"}, {"counted": "missed"}, {"counted": "delivered"},
                {"measured": "waiting", "duration": 3.5}, kind="schedule"),
        changed("chat", now - 2 * SECOND, {"counted": "connected", "count": 2}, {"level": "connections", "value": 2},
                {"measured": "processing", "duration": 0.02}, kind="websocket"),
        changed("gone", now - 2 * SECOND, {"level": "waiting", "value": 2}),
        changed("gone", now - SECOND, {"gone": True}),
    ])["rejected"] == 0
    schedule = shown(agent, "metrics", "schedule", "nightly")
    assert re.search(r"Invoked +Failed +Timed out +Skipped +Missed +Late avg +max", schedule)
    assert "3.5 s" in schedule
    assert "Connections (max)" in shown(agent, "metrics", "ws", "chat")
    assert windows(agent, "websocket=chat")[0]["connectionsMax"] == 2
    status = shown(agent, "status")
    assert "schedule nightly: 1 missed" in status and "WebSocket chat: 2 connections" in status
    assert "gone" not in status
    metrics = agent.metrics()
    assert metrics.total("lambda_schedule_lateness_seconds_count", schedule="nightly") == 1
    assert metrics.total("lambda_queue_messages_waiting", queue="gone") == 0


def test_http_is_counted_by_class_of_status(agent):
    start = time.time_ns() - 2 * SECOND
    post(agent, [
        {"event": "invocationFinished", "function": "web", "request": str(uuid.uuid4()), "start": start, "duration": duration,
         "trigger": trigger, "outcome": "success", "responseStatus": status}
        for trigger, status, duration in [
            ("http", 200, 0.1), ("http", 404, 0.2), ("http", 504, 1), ("http", 502, 0.3), ("direct", 200, 9)]
    ] + [{"event": "throttled", "function": "web", "time": start, "trigger": trigger, "reason": "ConcurrentInvocationLimitExceeded"}
         for trigger in ("http", "direct")])
    metrics = agent.metrics()
    codes = {code: metrics.total("lambda_http_responses_total", function="web", code=code) for code in ("2xx", "4xx", "5xx")}
    assert codes == {"2xx": 1, "4xx": 2, "5xx": 2}
    assert metrics.total("lambda_http_gateway_timeouts_total", function="web") == 1
    assert metrics.total("lambda_http_throttles_total", function="web") == 1
    lines = shown(agent, "metrics", "http", "--function", "web", "--output", "csv").splitlines()
    row = dict(zip(lines[0].split(","), lines[1].split(",")))
    assert [row[name] for name in ("requests", "responses_4xx", "responses_5xx", "gateway_timeouts", "throttles")] == ["5", "2", "2", "1", "1"]
    assert (float(row["response_avg_seconds"]), float(row["response_max_seconds"])) == (0.4, 1.0)


def test_bad_events_and_unknown_sources_get_a_sentence(agent):
    now = time.time_ns()
    answer = post(agent, [
        changed("q", now, {"counted": "received", "count": -1}), changed("", now, {"counted": "received"}),
        changed("q", now, {"level": "wating", "value": 1}), changed("q", now, {"oldest": "yesterday"}),
        changed("q" * 141, now), changed("q", now, *[{"gone": True}] * 257), {"event": "sourceChanged", "time": now, "changes": []}])
    assert answer["accepted"] == 0
    assert [one["reason"] for one in answer["reasons"]] == [
        "malformed", "function-name", "unknown-word", "malformed", "function-name", "malformed", "subject"]
    failed = agent.run("metrics", "queue", "nope")
    assert failed.returncode == 64 and "No queue named nope has been seen; there" in failed.stderr
    reply = request(agent.agent, "GET", "/api/v1/windows?queue=a&function=b")
    assert reply.status == 400 and b"cannot be combined with function" in reply.body


def test_a_stopped_agents_store_has_the_windows(agent):
    before = windows(agent, "queue=mail.fifo&range=10m&resolution=1m")
    agent.stop()
    stored = shown(
        agent, "metrics", "queue", "mail.fifo", "--data-dir", "data", "--range", "15m", "--resolution", "1m", "--output", "json")
    after = {window["start"]: window for window in json.loads(stored)["windows"]}
    for window in before[1:]:
        assert after[window["start"]] == window
    assert "whole" in shown(agent, "store", "check", "--data-dir", "data")
