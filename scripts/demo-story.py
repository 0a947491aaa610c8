#!/usr/bin/env python3
"""Drives the three example functions through a story and says what is happening. Needs only Python itself.

    scripts/demo-story.py HOST_URL [SECONDS]

The story: a cold burst, steady load, a burst over the reserved limit of `orders`, a timeout, a crash, and steady load again.
Ends with 0 if every part had the answers it was to have.
"""
import http.client
import json
import sys
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

# Requests per second of the steady load.
STEADY = {"orders": 6, "thumbnails": 3, "reports": 1.5}


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

    def tell(self):
        self.cold_burst()
        self.say("Steady load.")
        self.steady(self.seconds * 0.35)
        self.reserved_burst()
        self.steady(self.seconds * 0.1)
        self.timeouts()
        self.crashes()
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
