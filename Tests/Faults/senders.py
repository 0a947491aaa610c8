"""Eight senders of events and some that are slow, dribble or vanish; and what their agent has to show for it."""
import gzip
import http.client
import json
import random
import socket
import threading
import time
import uuid
from urllib.parse import urlencode

from counters import Watch
from event_batches import GZIP, LINES, PROTOBUF, THROTTLE_REASONS, lines, protobuf
from kelvin_host import Metrics, request
from raw_http import connect, read_reply
from recompute import differences, outcome

WINDOW_SECONDS = 5
# How long before it was sent an invocation may have ended.
LAG_SECONDS = 60
NANOSECONDS = 10**9
MILLISECOND = 10**6
FUNCTIONS = [f"shared-{number}" for number in range(4)]
# Of what is never sent whole.
CUT = "cut"
# How an end is said, and what the log of a caller calls it.
OUTCOMES = {
    "success": {"failed": False, "type": None}, "error": {"failed": True, "type": "Error"},
    "crash": {"failed": True, "type": "Runtime.ExitError"}, "timeout": {"failed": True, "type": "Sandbox.Timedout"},
}
# How a platform says it: in a line, and in a record.
PLATFORM_STATUS = {
    "success": ("", {"status": "success"}), "timeout": ("Status: timeout", {"status": "timeout"}),
    "crash": ("Status: error\tError Type: Runtime.ExitError", {"status": "error", "errorType": "Runtime.ExitError"}),
}
FAULTS = (OSError, http.client.HTTPException, ValueError)


class Target:
    """Where the agent answers; waits while it is being started."""

    def __init__(self, host):
        self.host = host
        self.is_up = threading.Event()

    def start(self):
        self.host.start()
        self.is_up.set()

    def end(self, end):
        # Nobody asks a port that somebody else may have by now.
        self.is_up.clear()
        return end()

    def kill(self):
        def end():
            self.host.process.kill()
            self.host.process.wait()

        self.end(end)

    def address(self):
        assert self.is_up.wait(60), "the agent does not come back"
        return self.host.agent


class Load:
    """What senders share: the records of what was acknowledged, and what went wrong."""

    def __init__(self, target, seed):
        self.target = target
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.records = []
        # Each is the records that were acknowledged together.
        self.batches = []
        self.repeated = self.attempts = 0
        self.problems = []

    def acknowledge(self, records):
        with self.lock:
            self.records += records
            self.batches.append(records)

    def run(self, senders, faults):
        """Has senders send while `faults` runs, and then end."""
        threads = [threading.Thread(target=sender.run) for sender in senders] + [threading.Thread(target=self.scrape)]
        for thread in threads:
            thread.start()
        try:
            faults()
        finally:
            self.over.set()
            for thread in threads:
                thread.join(90)
        assert not any(thread.is_alive() for thread in threads), f"a sender hangs: {self.target.host.said()}"
        assert not self.problems, self.problems[:10]

    def scrape(self):
        """No counter that was read goes down."""
        watch = Watch()
        while not self.over.is_set():
            try:
                watch.look(Metrics(request(self.target.address(), "GET", "/metrics", timeout=20).body.decode()))
            except FAULTS:
                pass  # What was not read whole was not read.
            time.sleep(0.1)
        self.problems += watch.problems


class Sender:
    """Makes up batches and sends each until it is acknowledged, as a source has to.

    `manner` is how it sends: "quick", or one of those that no agent may be held up by. `tells_starts` is whether the batch before that with
    an end may have its start.
    """

    def __init__(self, load, number, form="protobuf", manner="quick", tells_starts=True):
        self.load, self.number, self.form, self.manner, self.tells_starts = load, number, form, manner, tells_starts
        self.random = random.Random(load.random.random())
        self.source, self.sequence = self.random.randbytes(16), 0
        self.functions = [*FUNCTIONS, f"own-{number}"]
        self.path = "/v1/events"
        self.open = []  # Invocations that were said to have started.
        self.connection = None

    def run(self):
        try:
            while not self.load.over.is_set():
                self.step(self.events(self.random.randrange(1, 4 if self.manner != "quick" else 40)))
                time.sleep(self.random.uniform(0, 0.03))
            events, self.open = self.open, []
            self.step(events)
        except Exception as problem:  # pylint: disable=broad-except
            self.load.problems.append(f"sender {self.number} ({self.form}, {self.manner}): {problem!r}")
        finally:
            self.close()

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    # What happened

    def invocation(self):
        end = time.time_ns() - self.random.randrange(LAG_SECONDS * NANOSECONDS)
        length = int(self.random.choice([0, 0.005, 0.3, 8]) * self.random.random() * NANOSECONDS)
        wait = self.random.choice([0, 0, length // 3])
        return {
            "event": "invocationFinished", "function": self.random.choice(self.functions),
            "request": str(uuid.UUID(bytes=self.random.randbytes(16))), "start": end - length, "wait": wait,
            "duration": length - wait, "trigger": self.random.choice(["http", "direct"]),
            "coldStart": self.random.random() < 0.1,
            **self.random.choices(
                [{"outcome": "success"}, {"outcome": "error"}, {"outcome": "crash"},
                 {"outcome": "timeout", "timeoutSource": "platform"}], [8, 1, 1, 1])[0]}

    def events(self, count):
        """Ends, of which some were said to have started in the batch before; starts; throttles."""
        found, self.open = self.open, []
        for _ in range(count):
            invocation = self.invocation()
            kind = self.random.random()
            if kind < 0.2 and self.tells_starts and self.form in ("protobuf", "lines"):
                self.open.append(invocation)
                found.append({
                    "event": "invocationStarted", "time": invocation["start"],
                    **{name: invocation[name] for name in ("function", "request", "trigger")}})
            elif kind < 0.3:
                found.append({
                    "event": "throttled", "function": invocation["function"], "time": invocation["start"],
                    "reason": self.random.choice(THROTTLE_REASONS), "trigger": invocation["trigger"]})
            else:
                found.append(invocation)
        self.random.shuffle(found)
        return found

    # How it is sent

    def step(self, events):
        if self.form not in ("protobuf", "lines"):
            events = [self.unnumbered(event) for event in events if event["event"] == "invocationFinished"]
        if not events:
            return
        self.sequence += 1
        body, headers = self.encoded(events)
        if self.manner == "vanishing" and self.random.random() < 0.3:
            cut, _ = self.encoded([{**event, "function": CUT} for event in events])
            self.vanish(cut, headers, self.random.randrange(len(cut)))
        # Of a log, the answer counts lines: a start and a report.
        count = len(events) * (2 if self.form in ("logs", "telemetry") else 1)
        answer = self.acknowledged(body, headers)
        # What came before a kill, but was not answered, comes again.
        if (answer["accepted"], answer["duplicates"]) not in ((count, 0), (0, count)):
            raise ValueError(f"{count} events: {answer}")
        self.load.acknowledge([record(event) for event in events if event["event"] != "invocationStarted"])
        if self.random.random() < 0.2:
            again = self.acknowledged(body, headers)
            if (again["accepted"], again["duplicates"]) != (0, count):
                raise ValueError(f"sent again: {again}")
            self.load.repeated += 1

    def unnumbered(self, event):
        """An invocation of those who do not number what they send; as far as they tell of it."""
        event = {**event, "function": f"{self.form}-{self.number}"}
        if self.form == "anonymous":
            return event
        outcome = event["outcome"] if event["outcome"] in PLATFORM_STATUS else "success"
        start, length = event["start"] // MILLISECOND * MILLISECOND, event["duration"] // MILLISECOND * MILLISECOND
        return {
            **event, "start": start, "wait": 0, "duration": length, "trigger": "direct", "coldStart": False, "outcome": outcome,
            "timeoutSource": "platform" if outcome == "timeout" else None,
            "stream": time.strftime("%Y/%m/%d", time.gmtime()) + f"/[$LATEST]{self.random.randbytes(16).hex()}"}

    def encoded(self, events):
        if self.form == "logs":
            self.path = "/v1/logs"
            return gzip.compress("".join(subscription(event) for event in events).encode(), 1), {}
        if self.form == "telemetry":
            del events[1:]  # One instance a push.
            self.path = "/v1/telemetry?" + urlencode({"function": events[0]["function"], "instance": events[0]["stream"]})
            return json.dumps(telemetry(events[0])).encode(), {}
        if self.form == "protobuf":
            body, headers = protobuf(self.source, self.sequence, events), PROTOBUF
        elif self.form == "lines":
            body, headers = lines(events, self.source, self.sequence), LINES
        else:
            body, headers = lines(events), LINES
        return (gzip.compress(body, 1), {**headers, **GZIP}) if self.random.random() < 0.5 else (body, headers)

    def acknowledged(self, body, headers):
        """The answer, whatever it takes."""
        for _ in range(400):
            answer = self.attempt(body, headers)
            if answer:
                return answer
        raise ValueError("there is no end to it")

    def attempt(self, body, headers):
        """One try; `None` if nobody answered or it was refused for now."""
        self.load.attempts += 1
        try:
            if self.manner == "vanishing" and self.random.random() < 0.5:
                self.vanish(body, headers, self.random.choice([self.random.randrange(len(body)), len(body), len(body)]))
                return None
            status, content = getattr(self, self.manner if self.manner != "vanishing" else "quick")(body, headers)
        except FAULTS:
            self.close()
            time.sleep(0.02)
            return None
        if status in (429, 503):
            time.sleep(0.05)
            return None
        if status != 200:
            raise AssertionError(f"{status} {content}")
        answer = json.loads(content)
        if answer["rejected"]:
            raise AssertionError(f"rejected: {answer}")
        return answer

    def quick(self, body, headers):
        address = self.load.target.address()
        if self.connection is None or f"{self.connection.host}:{self.connection.port}" != address:
            self.close()
            self.connection = http.client.HTTPConnection(address, timeout=30)
        self.connection.request("POST", self.path, body, headers)
        reply = self.connection.getresponse()
        return reply.status, reply.read()

    def head(self, headers, length):
        fields = {**headers, "Host": "localhost", "Content-Length": length}
        return (f"POST {self.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode()

    def reply(self, connection):
        reply = read_reply(connection, 30)
        if not reply.is_whole():
            raise ValueError("no answer")
        return reply.status, reply.body

    def dribbling(self, body, headers):
        """Byte by byte."""
        with connect(self.load.target.address(), 30) as connection:
            for byte in self.head(headers, len(body)) + body:
                connection.sendall(bytes([byte]))
                time.sleep(0.0005)
            return self.reply(connection)

    def slow(self, body, headers):
        """Stops in the middle."""
        with connect(self.load.target.address(), 30) as connection:
            middle = self.random.randrange(len(body))
            connection.sendall(self.head(headers, len(body)) + body[:middle])
            time.sleep(self.random.uniform(0.1, 1.5))
            connection.sendall(body[middle:])
            return self.reply(connection)

    def vanish(self, body, headers, length):
        """Sends a part of it, or all, and does not wait for an answer."""
        try:
            with connect(self.load.target.address(), 30) as connection:
                connection.sendall(self.head(headers, len(body)) + body[:length])
                if self.random.random() < 0.5:
                    # A reset in place of an end.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError:
            pass  # The agent was killed before.


def record(event):
    """As a caller's log has it (recompute.py)."""
    is_throttle = event["event"] == "throttled"
    via = "url" if event["trigger"] == "http" else "invoke"
    if is_throttle:
        return {
            "function": event["function"], "via": via, "asked": "", "status": 429, "reason": event["reason"],
            "start": event["time"], "trigger": event["trigger"]}
    start, handover = event["start"], event["start"] + event["wait"]
    return {
        "function": event["function"], "via": via, "asked": event["outcome"], "status": status(event), "reason": None,
        "start": start, "handover": handover, "end": handover + event["duration"], "cold": event["coldStart"],
        "trigger": event["trigger"], "outcome": event["outcome"], **OUTCOMES[event["outcome"]]}


def subscription(event):
    """The lines of an invocation in a log stream of their own, as CloudWatch hands them on."""
    request_id, start, length = event["request"], event["start"] // MILLISECOND, event["duration"] // MILLISECOND
    messages = [
        (start, f"START RequestId: {request_id} Version: $LATEST\n"),
        (start + length, f"REPORT RequestId: {request_id}\tDuration: {length}.00 ms\tBilled Duration: {length} ms\t"
                         f"Memory Size: 128 MB\tMax Memory Used: 40 MB\t{PLATFORM_STATUS[event['outcome']][0]}\n")]
    return json.dumps({
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": f"/aws/lambda/{event['function']}",
        "logStream": event["stream"], "subscriptionFilters": ["kelvin"],
        "logEvents": [{"id": f"{at:056}", "timestamp": at, "message": message} for at, message in messages]})


def telemetry(event):
    """The records of an invocation."""
    def at(nanoseconds):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nanoseconds // NANOSECONDS)) + f".{nanoseconds // MILLISECOND % 1000:03}Z"

    start, length = event["start"], event["duration"] // MILLISECOND
    return [
        {"time": at(start), "type": "platform.start", "record": {"requestId": event["request"], "version": "$LATEST"}},
        {"time": at(start + event["duration"]), "type": "platform.report", "record": {
            "requestId": event["request"], **PLATFORM_STATUS[event["outcome"]][1],
            "metrics": {"durationMs": length, "billedDurationMs": length, "memorySizeMB": 128, "maxMemoryUsedMB": 40}}}]


def status(event):
    """Of a function URL, whose answer says no more than that."""
    if event["trigger"] != "http":
        return 200
    return {"success": 200, "timeout": 504}.get(event["outcome"], 502)


def eight_senders(load, tells_starts=True):
    """And beside them some that are slow, dribble or vanish, and some that do not number what they send."""
    quick = [("quick", form) for form in ["protobuf"] * 6 + ["lines"] * 2]
    others = [("slow", "protobuf"), ("dribbling", "lines"), ("dribbling", "protobuf"), ("vanishing", "protobuf"), ("vanishing", "lines")]
    return [
        Sender(load, number, form, manner, tells_starts)
        for number, (manner, form) in enumerate([*quick, *others, *[("quick", form) for form in ("anonymous", "logs", "telemetry")]])]


def problems(host, records):
    """Where an agent's totals and windows differ from what was acknowledged."""
    found = []
    metrics = host.metrics()

    def expect(name, shown, wanted):
        if shown != wanted:
            found.append(f"{name}: shown {shown}, acknowledged {wanted}")

    if metrics.total("lambda_invocations_total", function=CUT):
        found.append("an event of a body that was never sent whole was counted")
    functions = sorted({record["function"] for record in records})
    for function in functions:
        mine = [record for record in records if record["function"] == function]
        ended = [record for record in mine if record["status"] != 429]
        for trigger in ("http", "direct"):
            of_trigger = [record for record in ended if record["trigger"] == trigger]
            expect(
                f"{function} {trigger}", metrics.get("lambda_invocations_total", function=function, trigger=trigger) or 0,
                len(of_trigger))
        failed = [record for record in ended if outcome(record)[0] != "success"]
        expect(f"{function} errors", metrics.get("lambda_errors_total", function=function) or 0, len(failed))
        expect(f"{function} throttles", metrics.total("lambda_throttles_total", function=function), len(mine) - len(ended))
        expect(
            f"{function} durations", metrics.get("lambda_invocation_duration_seconds_count", function=function) or 0, len(ended))
    for function in [None, *functions]:
        mine = [record for record in records if function in (None, record["function"])]
        found += [
            f"{function or 'account'}: {problem}"
            for problem in differences(mine, host.windows(function).document, WINDOW_SECONDS * NANOSECONDS)]
    return found
