"""A host that is killed at random moments under load: every answer is counted, and no counter that was read goes down."""
import http.client
import json
import os
import random
import signal
import threading
import time

from counters import Watch
from kelvin_host import Metrics, python_function, request

ROUNDS = int(os.environ.get("KELVIN_FAULTS", "20"))
SEED = int(os.environ.get("KELVIN_SEED", "1"))


class Callers:
    """Call a function one after the other, and count the answers."""

    def __init__(self, host, count):
        self.answered = 0
        self.asked = 0
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(host.host, number)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, address, number):
        connection = http.client.HTTPConnection(address, timeout=30)
        body = json.dumps({"do": "sleep", "ms": 20} if number == 0 else {"do": "ok"})
        try:
            while not self.over.is_set():
                with self.lock:
                    self.asked += 1
                connection.request("POST", "/2015-03-31/functions/reports/invocations", body)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200, answer.status
                with self.lock:
                    self.answered += 1
        except (OSError, http.client.HTTPException):
            pass  # The host is killed.
        finally:
            connection.close()

    def join(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a caller hangs"


def scrape(host, watch):
    try:
        watch.look(Metrics(request(host.agent, "GET", "/metrics", timeout=10).body.decode()))
    except (OSError, http.client.HTTPException):
        pass  # The host is killed; what was not read whole was not read.


def test_kills_under_load(hosts):
    choose = random.Random(SEED)
    host = hosts({"reports": python_function(reserved=4)}, window="5s")
    watch = Watch()
    answered = asked = 0
    for _ in range(ROUNDS):
        host.start()
        scrape(host, watch)
        callers = Callers(host, 3)
        end = time.monotonic() + choose.uniform(0.2, 2.5)
        while time.monotonic() < end:
            scrape(host, watch)
            time.sleep(choose.uniform(0, 0.15))
        os.kill(host.process.pid, signal.SIGKILL)
        host.process.wait()
        callers.join()
        answered += callers.answered
        asked += callers.asked
    host.start()
    scrape(host, watch)
    counted = host.metrics()("lambda_invocations_total", function="reports", trigger="direct")
    print(f"{ROUNDS} kills, {watch.scrapes} scrapes, {answered} answers to {asked} requests, {counted:.0f} counted")
    assert not watch.problems, watch.problems[:20]
    assert answered <= counted <= asked
    # A thousand rounds take longer than the half hour that is asked for else.
    windows = host.windows("reports", range="12h").list
    assert sum(window["invocations"] for window in windows) == counted
    assert host.stop() == 0
