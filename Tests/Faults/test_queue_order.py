"""A FIFO queue whose function fails at random and whose host is killed: no job is lost, and each group stays in order."""
import http.client
import json
import os
import random
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kelvin_host import poll, python_function, request

ROUNDS = int(os.environ.get("KELVIN_FAULTS", "20"))
SEED = int(os.environ.get("KELVIN_SEED", "1"))
KILLS = max(3, ROUNDS // 5)
JOBS = ROUNDS * 100
GROUPS = min(100, max(10, JOBS // 100))
QUEUE = "order.fifo"


class Collector:
    """What the function says of its jobs, looked at as it comes."""

    def __init__(self):
        self.lock = threading.Lock()
        self.done = [0] * GROUPS  # How many of the group's jobs have ended, without a gap.
        self.running = [None] * GROUPS
        self.lives = 0
        self.problems = []
        self.failures = self.repeats = 0
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                collector.take(*json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, what, group, number, request_id):
        with self.lock:
            if what == "start":
                if number > self.done[group]:
                    self.problems.append(f"job {number} of group {group} began when {self.done[group]} were done")
                if self.running[group] not in (None, request_id):
                    self.problems.append(f"two invocations have group {group}: {self.running[group]} and {request_id}")
                self.repeats += number < self.done[group]
                self.running[group] = request_id
            elif what == "fail":
                self.failures += 1
                self.running[group] = None
            else:
                if number == self.done[group]:
                    self.done[group] += 1
                self.running[group] = None

    def killed(self):
        """Nothing runs any more."""
        with self.lock:
            self.running = [None] * GROUPS

    def is_complete(self):
        with self.lock:
            return sum(self.done) == JOBS


def sqs(host, operation, **members):
    answer = request(
        host.host, "POST", "/", json.dumps(members),
        {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}, timeout=30)
    assert answer.status == 200, answer
    return answer.json()


def send(host, groups, is_over):
    """Sends the jobs of some groups, ten at a time, each as often as it takes until it is answered."""
    sent = {group: 0 for group in groups}
    while sent:
        for group in list(sent):
            count = JOBS // GROUPS
            numbers = range(sent[group], min(count, sent[group] + 10))
            entries = [
                {"Id": str(number), "MessageBody": json.dumps([group, number]), "MessageGroupId": f"g{group}",
                 "MessageDeduplicationId": f"{group}-{number}"} for number in numbers]
            while not is_over.is_set():
                try:
                    assert len(sqs(host, "SendMessageBatch", QueueUrl=f"/0/{QUEUE}", Entries=entries)["Successful"]) == len(entries)
                    break
                except (OSError, http.client.HTTPException, AttributeError):
                    time.sleep(0.01)  # The host is killed.
            if is_over.is_set():
                return
            sent[group] += len(entries)
            if sent[group] == count:
                del sent[group]


def test_order_under_failures_and_kills(hosts):
    choice = random.Random(SEED)
    collector = Collector()
    functions = {"ordered": python_function(
        "ordered.handler", timeout="10s", reserved=4,
        environment={"COLLECTOR": f"127.0.0.1:{collector.server.server_port}", "FAILURES": "0.02"})}
    host = hosts(functions, sections={"queues": {QUEUE: {"function": "ordered", "batch": 5, "maximumReceives": 1000}}}).start()
    is_over = threading.Event()
    senders = [
        threading.Thread(target=send, args=(host, range(number, GROUPS, 4), is_over)) for number in range(4)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(KILLS):
            time.sleep(choice.uniform(0.05, 0.8))
            host.stop(signal.SIGKILL)
            collector.killed()
            host.start()
            assert not collector.problems, collector.problems[:5]
        poll(lambda: collector.is_complete() or collector.problems, 60 + JOBS / 100, lambda: f"all jobs end: {collector.done}")
    finally:
        is_over.set()
        for sender in senders:
            sender.join(30)
    assert not collector.problems, collector.problems[:5]
    assert collector.failures > 0 and collector.is_complete()
    attributes = lambda: sqs(  # noqa: E731
        host, "GetQueueAttributes", QueueUrl=f"/0/{QUEUE}", AttributeNames=["All"])["Attributes"]
    poll(lambda: all(attributes()[f"ApproximateNumberOfMessages{kind}"] == "0" for kind in ("", "NotVisible", "Delayed")), 10,
         lambda: attributes())
    print(f"{JOBS} jobs in {GROUPS} groups, {KILLS} kills, {collector.failures} failures, {collector.repeats} repeated after they had ended")
    collector.server.shutdown()
