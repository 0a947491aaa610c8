"""Sends mixed random load over the Invoke API and function URLs, and logs every answer."""
import http.client
import json
import random
import threading
import time
from urllib.parse import urlencode


def record_of(function, via, asked, answer):
    """One line of the log (see recompute.py)."""
    headers = answer.headers
    failed = headers.get("X-Amz-Function-Error") is not None
    record = {
        "function": function, "via": via, "asked": asked, "status": answer.status, "failed": failed, "type": None,
        "reason": None, "start": int(headers["X-Kelvin-Start"]),
    }
    if answer.status == 429:
        record["reason"] = json.loads(answer.body)["Reason"]
        return record
    if failed:
        record["type"] = json.loads(answer.body).get("errorType")
    return record | {
        "handover": int(headers["X-Kelvin-Handover"]), "end": int(headers["X-Kelvin-End"]),
        "cold": int(headers["X-Kelvin-Cold"]), "timeout": headers["X-Kelvin-Timeout-Source"],
    }


class Answer:
    def __init__(self, reply):
        self.status, self.headers, self.body = reply.status, reply.headers, reply.read()


class LoadDriver:
    """`functions` maps a name to the events that its function is sent: (via, asked, fields, weight)."""

    def __init__(self, address, functions, seed):
        self.address = address
        self.functions = functions
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.records = []
        self.problems = []

    def send(self, connection, function, via, asked, fields):
        body = None
        if via == "invoke":
            path = f"/2015-03-31/functions/{function}/invocations"
            body = json.dumps({"do": asked, **fields})
            connection.request("POST", path, body)
        elif asked.startswith("/"):
            connection.request("GET", f"/url/{function}{asked}?{urlencode(fields)}")
        else:
            connection.request("GET", f"/url/{function}/?{urlencode({'do': asked, **fields})}")
        record = record_of(function, via, asked.removeprefix("/"), Answer(connection.getresponse()))
        with self.lock:
            self.records.append(record)

    def ask(self, function, via, asked, fields, connection=None):
        own = connection is None
        connection = connection or http.client.HTTPConnection(self.address, timeout=60)
        try:
            self.send(connection, function, via, asked, fields)
        except Exception as error:  # pylint: disable=broad-except
            with self.lock:
                self.problems.append(f"{function} {via} {asked}: {error!r}")
        finally:
            if own:
                connection.close()

    def pick(self):
        with self.lock:
            function = self.random.choice(list(self.functions))
            events = self.functions[function]
            via, asked, fields, _ = self.random.choices(events, [event[3] for event in events])[0]
            pause = self.random.expovariate(1 / 0.05)
            return function, via, asked, fields, min(pause, 0.5)

    def wander(self, end):
        """A client with a connection of its own that sends one request after the other."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        while time.monotonic() < end:
            function, via, asked, fields, pause = self.pick()
            self.ask(function, via, asked, fields, connection)
            time.sleep(pause)
        connection.close()

    def burst(self, count, function, via, asked, fields):
        threads = [threading.Thread(target=self.ask, args=(function, via, asked, fields)) for _ in range(count)]
        for thread in threads:
            thread.start()
        return threads

    def run(self, seconds, clients, bursts):
        """`bursts`: (seconds after the start, count, function, via, asked, fields), in this order."""
        start = time.monotonic()
        threads = [threading.Thread(target=self.wander, args=(start + seconds,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for after, *burst in bursts:
            time.sleep(max(0, start + after - time.monotonic()))
            threads += self.burst(*burst)
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive(), "a client hangs"
        assert not self.problems, self.problems
        return self.records
