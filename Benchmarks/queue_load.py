"""Jobs for queues, as clients of SQS's API send them: for `Benchmarks/programs.py`."""
import json
import threading
import time
import urllib.request

BATCH = 10


def request_bytes(operation, **members):
    body = json.dumps(members).encode()
    return (f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.{operation}\r\n"
            f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def single(queue, sender, number):
    """One job; in a FIFO queue of one of a thousand groups."""
    members = {"QueueUrl": f"/0/{queue}", "MessageBody": json.dumps({"job": number, "sender": sender, "text": "x" * 100})}
    if queue.endswith(".fifo"):
        members["MessageGroupId"] = f"group-{(sender * 7919 + number) % 1000}"
    return request_bytes("SendMessage", **members)


def batch(queue, sender, number):
    """Ten jobs of ten groups."""
    entries = []
    for position in range(BATCH):
        entry = {"Id": str(position), "MessageBody": json.dumps({"job": [sender, number, position], "text": "x" * 100})}
        if queue.endswith(".fifo"):
            entry["MessageGroupId"] = f"group-{(sender * 7919 + number * BATCH + position) % 1000}"
        entries.append(entry)
    return request_bytes("SendMessageBatch", QueueUrl=f"/0/{queue}", Entries=entries)


def send(connect, make, queue, senders, count):
    """Sends so many requests over each of so many connections at the same time; seconds."""
    requests = [[make(queue, sender, number) for number in range(count)] for sender in range(senders)]
    connections = [connect() for _ in range(senders)]

    def run(connection, requests):
        for request in requests:
            connection.send(request, 1)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(connections, requests)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - start
    for connection in connections:
        connection.close()
    return taken


def left(port, queue):
    """The messages that are not done with."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/kelvin/queues") as answer:
        for one in json.load(answer)["queues"]:
            if one["name"] == queue:
                return one["waiting"] + one["delayed"] + one["inFlight"]
    raise SystemExit(f"queue_load.py: there is no queue {queue}")
