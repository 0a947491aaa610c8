#!/usr/bin/env python3
"""An extension for the old Logs API: register, listen, subscribe, then next after next; dispatch after each event."""
import http.client
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Event, Thread

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
NAME = os.path.basename(sys.argv[0])


def call(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(API)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        print(f"{path} answered {answer.status}: {text}", flush=True)
        sys.exit(1)
    return answer, text


def listen(queue):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            queue.put(json.loads(content))

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    started = Event()

    def serve():
        started.set()
        server.serve_forever()

    Thread(target=serve, daemon=True).start()
    assert started.wait(9)
    return server.server_port


def main():
    answer, _ = call(
        "POST", "/2020-01-01/extension/register", json.dumps({"events": ["INVOKE", "SHUTDOWN"]}),
        {"Lambda-Extension-Name": NAME, "Content-Type": "application/json"})
    identifier = {"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}
    queue = Queue()
    port = listen(queue)
    call("PUT", "/2020-08-15/logs", json.dumps({
        "schemaVersion": "2021-03-18", "types": ["platform", "function"],
        "buffering": {"timeoutMs": 25, "maxBytes": 262144, "maxItems": 1000},
        "destination": {"protocol": "HTTP", "URI": f"http://sandbox:{port}"},
    }), {**identifier, "Content-Type": "application/json"})
    journal = open(os.environ["JOURNAL"], "a", buffering=1)

    def dispatch():
        while True:
            for record in queue.get():
                journal.write(json.dumps({"telemetry": record}) + "\n")

    Thread(target=dispatch, daemon=True).start()
    while True:
        _, text = call("GET", "/2020-01-01/extension/event/next", headers=identifier)
        event = json.loads(text)
        journal.write(json.dumps({"event": event}) + "\n")
        if event["eventType"] == "SHUTDOWN":
            time.sleep(0.3)
            return


main()
