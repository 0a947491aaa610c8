#!/usr/bin/env -S python3 -S -E
"""An external extension for the host's tests; EXTENSION says what it does, its journal what happened to it."""

import http.client
import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

NAME = os.path.basename(sys.argv[0])
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
MODE = dict(part.partition("=")[::2] for part in os.environ.get("EXTENSION_" + NAME, os.environ.get("EXTENSION", "")).split(";") if part)
JOURNAL = open(os.path.join(os.environ["JOURNAL"], f"{NAME}.jsonl"), "a", buffering=1)
lock = threading.Lock()


def note(what, **more):
    with lock:
        JOURNAL.write(json.dumps({"what": what, "pid": os.getpid(), **more}) + "\n")


def call(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(*API.split(":"))
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def register(events):
    headers = {"Lambda-Extension-Name": NAME, "Lambda-Extension-Accept-Feature": "accountId"}
    status, headers, body = call("POST", "/2020-01-01/extension/register", json.dumps({"events": events}), headers)
    note("registered", status=status, body=json.loads(body))
    return headers.get("Lambda-Extension-Identifier", "")


class Listener(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(float(MODE.get("listener-sleep", 0)))
        if MODE.get("listener-fails") and Listener.failures < int(MODE["listener-fails"]):
            Listener.failures += 1
            self.send_response(500)
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        for event in json.loads(body):
            note("telemetry", **{"event": event})

    def log_message(self, *_):
        pass

    failures = 0


def listen_tcp(server):
    connection, _ = server.accept()
    for line in connection.makefile():
        note("telemetry", event=json.loads(line))


def subscribe(identifier):
    if MODE.get("protocol") == "TCP":
        server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=listen_tcp, args=(server,), daemon=True).start()
        destination = {"protocol": "TCP", "port": server.getsockname()[1]}
    elif "dead" in MODE:
        destination = {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{MODE['dead']}/"}
    else:
        server = HTTPServer(("127.0.0.1", 0), Listener)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        destination = {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{server.server_port}/here"}
    api = MODE.get("api", "telemetry")
    body = {"types": MODE["subscribe"].split(","), "destination": destination,
            "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": int(MODE.get("timeoutMs", 25))}}
    if api == "telemetry":
        body["schemaVersion"] = MODE.get("schema", "2022-12-13")
    else:
        body["schemaVersion"] = MODE.get("schema", "2021-03-18")
    path = "/2022-07-01/telemetry" if api == "telemetry" else "/2020-08-15/logs"
    status, _, text = call("PUT", path, json.dumps(body),
                           {"Lambda-Extension-Identifier": identifier, "Content-Type": "application/json"})
    note("subscribed", status=status, body=text)


def error(kind, identifier):
    document = json.dumps({"errorMessage": "no", "errorType": "Extension.Broken", "stackTrace": []})
    status, _, _ = call("POST", f"/2020-01-01/extension/{kind}/error", document, {
        "Lambda-Extension-Identifier": identifier, "Lambda-Extension-Function-Error-Type": "Extension.Broken"})
    note(kind + " error", status=status)


def main():
    note("started", environment=dict(os.environ), directory=os.getcwd())
    if "never-registers" in MODE:
        time.sleep(3600)
    if "exits-at-start" in MODE:
        sys.exit(int(MODE["exits-at-start"]))
    identifier = register(MODE.get("events", "INVOKE,SHUTDOWN").split(",") if MODE.get("events", "x") else [])
    if "registers-twice" in MODE:
        register(["INVOKE"])
    if "subscribe" in MODE:
        subscribe(identifier)
    if "init-error" in MODE:
        error("init", identifier)
        time.sleep(3600)
    if "ignores-sigterm" in MODE:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "slow-start" in MODE:
        time.sleep(float(MODE["slow-start"]))
    while True:
        status, headers, body = call("GET", "/2020-01-01/extension/event/next", headers={
            "Lambda-Extension-Identifier": identifier})
        if status != 200:
            note("refused", status=status, body=body)
            return
        event = json.loads(body)
        note("event", event=event, id=headers["Lambda-Extension-Event-Identifier"], now=time.time())
        if event["eventType"] == "SHUTDOWN":
            if "ignores-shutdown" in MODE:
                continue
            time.sleep(float(MODE.get("shutdown-sleep", 0)))
            note("ended")
            return
        if "prints" in MODE:
            print(MODE["prints"], flush=True)
        if "crashes" in MODE:
            os._exit(int(MODE["crashes"]))
        if "exit-error" in MODE:
            error("exit", identifier)
        time.sleep(float(MODE.get("sleep", 0)))


main()
