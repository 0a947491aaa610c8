#!/usr/bin/env python3
"""An extension for the Telemetry API: register, listen, subscribe, then next after next; dispatch what came."""
import json
import os
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
EXTENSION = f"http://{API}/2020-01-01/extension"
TELEMETRY = f"http://{API}/2022-07-01/telemetry"


def call(method, url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.headers, answer.read()


def register(name):
    headers, _ = call("POST", EXTENSION + "/register", {"events": ["INVOKE", "SHUTDOWN"]}, {"Lambda-Extension-Name": name})
    return headers["Lambda-Extension-Identifier"]


def listen(queue):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.end_headers()
            queue.put(json.loads(content))

        def log_message(self, *_):
            pass

    # A fixed port would serve one instance at a time.
    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://sandbox.localdomain:{server.server_port}"


def subscribe(identifier, uri):
    body = {
        "schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"],
        "buffering": {"maxItems": 1000, "maxBytes": 256 * 1024, "timeoutMs": int(os.environ.get("BUFFER_MS", 100))},
        "destination": {"protocol": "HTTP", "URI": uri},
    }
    call("PUT", TELEMETRY, body, {"Lambda-Extension-Identifier": identifier})




def dispatch_always(queue, journal):
    while True:
        for record in queue.get():
            journal.write(json.dumps({"telemetry": record}) + "\n")
            journal.flush()


def main():
    identifier = register(Path(sys.argv[0]).name)
    queue = Queue()
    uri = listen(queue)
    subscribe(identifier, uri)
    journal = open(os.environ["JOURNAL"], "a", buffering=1)
    Thread(target=dispatch_always, args=(queue, journal), daemon=True).start()
    while True:
        _, body = call("GET", EXTENSION + "/event/next", headers={"Lambda-Extension-Identifier": identifier})
        event = json.loads(body)
        journal.write(json.dumps({"event": event}) + "\n")
        if event["eventType"] == "SHUTDOWN":
            # The last records may still be on their way.
            time.sleep(0.5)
            sys.exit(0)


main()
