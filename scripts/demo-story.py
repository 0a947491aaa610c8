#!/usr/bin/env python3
"""Drives the example functions through a story and says what is happening. Needs only Python itself.

    scripts/demo-story.py HOST_URL [SECONDS]

The story: a cold burst, steady load, a burst over the reserved limit of `orders`, a timeout, a crash, jobs in a FIFO queue of which one
times out and comes back, a WebSocket whose message times out and which lives on, a schedule, and steady load again.
Ends with 0 if every part had the answers it was to have.
"""
import base64
import http.client
import json
import os
import socket
import struct
import sys
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

# Requests per second of the steady load.
STEADY = {"orders": 6, "thumbnails": 3, "reports": 1.5}


class WebSocket:
    """As much of a client as the story needs: short messages of text (RFC 6455)."""

    def __init__(self, address, path):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.stream = self.socket.makefile("rb")
        self.status = self.stream.readline().split()[1].decode()
        while self.stream.readline().strip():
            pass

    def ask(self, message):
        """Sends JSON; the JSON of the next message."""
        text, mask = json.dumps(message).encode(), os.urandom(4)
        assert len(text) < 126
        self.socket.sendall(bytes([0x81, 0x80 | len(text)]) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(text)))
        while True:
            first, second = self.stream.read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self.stream.read(2))
            data = self.stream.read(length)
            if first & 0x0F == 1:
                return json.loads(data)

    def close(self):
        self.stream.close()
        self.socket.close()


class Story:
    def __init__(self, url, seconds):
        self.address = urlsplit(url).netloc
        self.seconds = seconds
        self.start = time.monotonic()
        self.lock = threading.Lock()
        self.answers = Counter()
        self.unexpected = []

    def say(self, text):
        print(f"{time.monotonic() - self.start:5.0f} s  {text}", flush=True)

    def request(self, method, path, body=None):
        """One request on a connection of its own; the status, and whether a function failed behind a 200."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            reply = connection.getresponse()
            reply.read()
            status, failed = reply.status, reply.getheader("X-Amz-Function-Error") is not None
        except OSError as error:
            status, failed = f"no answer ({error})", True
        finally:
            connection.close()
        with self.lock:
            self.answers["throttled" if status == 429 else "failed" if failed or status != 200 else "ok"] += 1
        return status, failed

    def orders(self, path="/"):
        return self.request("GET", f"/url/orders{path}")

    def invoke(self, function, event):
        return self.request("POST", f"/2015-03-31/functions/{function}/invocations", json.dumps(event))

    def at_once(self, count, call):
        """Starts all calls together; their results in no order."""
        results, barrier = [], threading.Barrier(count)

        def run():
            barrier.wait()
            results.append(call())

        threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def expect(self, what, condition):
        if not condition:
            self.unexpected.append(what)
            self.say(f"unexpected: {what}")

    def steady(self, seconds):
        """Load at a steady rate for each function, whatever the answers."""
        end = time.monotonic() + seconds
        calls = {
            "orders": lambda: self.orders("/?item=pear"),
            "thumbnails": lambda: self.invoke("thumbnails", {"picture": "pear.jpg"}),
            "reports": lambda: self.invoke("reports", {"do": "ok"}),
        }

        def drive(function):
            due = time.monotonic()
            while due < end:
                threading.Thread(target=calls[function], daemon=True).start()
                due += 1 / STEADY[function]
                time.sleep(max(0, due - time.monotonic()))

        drivers = [threading.Thread(target=drive, args=(function,), daemon=True) for function in STEADY]
        for driver in drivers:
            driver.start()
        while time.monotonic() < end:
            time.sleep(min(5, end - time.monotonic()) + 0.01)
            with self.lock:
                counts = ", ".join(f"{self.answers[name]} {name}" for name in ("ok", "throttled", "failed"))
            self.say(f"  so far {counts}")
        for driver in drivers:
            driver.join()

    def cold_burst(self):
        self.say("A cold burst: 4 requests at once to each function, and no instance is there yet.")
        for call in (
            lambda: self.orders(),
            lambda: self.invoke("thumbnails", {}),
            lambda: self.invoke("reports", {"do": "sleep", "ms": 100}),
        ):
            results = self.at_once(4, call)
            self.expect(f"the cold burst had {results}", all(result == (200, False) for result in results))

    def reserved_burst(self):
        self.say("A burst of 30 over the reserved concurrency of orders, which is 5.")
        results = self.at_once(30, lambda: self.orders("/slow?ms=500"))
        statuses = Counter(status for status, _ in results)
        self.say("  " + ", ".join(f"{count} answered {status}" for status, count in sorted(statuses.items(), key=str)))
        self.expect("the burst was not throttled", statuses[429] > 0 and statuses[200] > 0)

    def timeouts(self):
        self.say("Timeouts: a report that loops for ever (ended after 3 s), an order that takes too long (gives up after 10 s).")
        outcome = {}

        def run(name, call):
            outcome[name] = call()

        threads = [
            threading.Thread(target=run, args=("reports", lambda: self.invoke("reports", {"do": "loop"})), daemon=True),
            threading.Thread(target=run, args=("orders", lambda: self.orders("/slow?ms=20000")), daemon=True),
        ]
        for thread in threads:
            thread.start()
        self.steady(max(1, self.seconds * 0.15))
        for thread in threads:
            thread.join()
        self.say(f"  reports: {outcome['reports'][0]}, failed; orders: {outcome['orders'][0]}")
        self.expect(f"the looping report had {outcome['reports']}", outcome["reports"] == (200, True))
        self.expect(f"the slow order had {outcome['orders']}", outcome["orders"][0] == 504)

    def crashes(self):
        self.say("Crashes: a report that exits, an order that traps; and an error that a report raises.")
        self.expect("the report that exits did not fail", self.invoke("reports", {"do": "exit"}) == (200, True))
        self.expect("the order that traps did not fail", self.orders("/crash")[0] == 502)
        self.expect("the report that raises did not fail", self.invoke("reports", {"do": "error"}) == (200, True))

    def queue(self, operation, **parameters):
        """One call of SQS's API; its document."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request("POST", "/", json.dumps({"QueueUrl": f"http://{self.address}/0/mail.fifo", **parameters}), {
                "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{operation}"})
            reply = connection.getresponse()
            document = json.loads(reply.read() or b"{}")
            self.expect(f"{operation} had {reply.status} {document}", reply.status == 200)
            return document
        finally:
            connection.close()

    def jobs(self):
        self.say("A FIFO queue: three letters to ada, of which the first times out and comes back before the others; one to grace beside them.")
        now = time.time_ns()
        letters = [("ada", {"hang": True}), ("ada", {}), ("ada", {}), ("grace", {})]
        for number, (to, letter) in enumerate(letters):
            self.queue("SendMessage", MessageBody=json.dumps({"to": to, **letter}), MessageGroupId=to, MessageDeduplicationId=f"{now}-{number}")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        start = time.monotonic()
        while sum(int(count) for count in self.queue("GetQueueAttributes", AttributeNames=names)["Attributes"].values()):
            if time.monotonic() - start > 30:
                return self.expect("the queue is not empty", False)
            time.sleep(0.1)
        self.say(f"  all four are sent, after {time.monotonic() - start:.1f} s")
        self.expect("no letter had to wait for the one that timed out", time.monotonic() - start >= 2)

    def chat(self):
        self.say("A WebSocket: a message and its reply, one that times out, and another on the same connection.")
        chat = WebSocket(self.address, "/ws/chat")
        try:
            self.expect(f"the handshake had {chat.status}", chat.status == "101")
            answers = [chat.ask({"say": "pear"}), chat.ask({"say": "nothing", "ms": 5000}), chat.ask({"say": "plum"})]
        finally:
            chat.close()
        self.say("  " + ", ".join(json.dumps(answer) for answer in answers))
        heard = [answer.get("heard") for answer in answers]
        self.expect(f"the messages had {answers}", heard == ["pear", None, "plum"] and "error" in answers[1])

    def schedule(self):
        self.say("A schedule, run now; by itself it runs every minute.")
        status, failed = self.request("POST", "/kelvin/v1/schedules/tidy/run")
        self.expect(f"the schedule had {status}", (status, failed) == (200, False))

    def tell(self):
        self.cold_burst()
        self.say("Steady load.")
        self.steady(self.seconds * 0.35)
        self.reserved_burst()
        self.steady(self.seconds * 0.1)
        self.timeouts()
        self.crashes()
        self.jobs()
        self.chat()
        self.schedule()
        self.say("Steady load again, on new instances.")
        self.steady(max(1, self.start + self.seconds - time.monotonic()))
        time.sleep(1)  # The last requests are under way.
        with self.lock:
            total = sum(self.answers.values())
        self.say(f"The end: {total} requests.")
        return 1 if self.unexpected else 0


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 64
    return Story(sys.argv[1], float(sys.argv[2]) if len(sys.argv) == 3 else 90).tell()


if __name__ == "__main__":
    sys.exit(main())
