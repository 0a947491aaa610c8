"""A runtime without packages that sends its answers piece by piece, as the event says. For function URLs the event is in the body."""
import base64
import json
import os
import signal
import socket
import time

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")


class Connection:
    """One connection to the Runtime API."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.file = self.socket.makefile("rb")

    def reply(self):
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers.get("content-length", 0)))

    def ask(self, method, path, body=b"", **headers):
        head = [f"{method} /2018-06-01/runtime/{path} HTTP/1.1", f"Host: {HOST}:{PORT}", f"Content-Length: {len(body)}"]
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return self.reply()


class Answer:
    """An answer that is sent in chunks."""

    def __init__(self, connection, request, content_type):
        self.connection = connection
        connection.socket.sendall((
            f"POST /2018-06-01/runtime/invocation/{request}/response HTTP/1.1\r\nHost: {HOST}:{PORT}\r\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"
            "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
            f"Content-Type: {content_type}\r\n\r\n").encode())

    def send(self, piece):
        if piece:
            self.connection.socket.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")

    def end(self, trailers=()):
        lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
        self.connection.socket.sendall(b"0\r\n" + lines.encode() + b"\r\n")
        return self.connection.reply()


def prelude(event):
    return json.dumps(event["prelude"]).encode() + bytes(8) if "prelude" in event else b""


def stream(connection, request, event):
    content_type = event.get("contentType") or (
        "application/vnd.awslambda.http-integration-response" if "prelude" in event else "application/octet-stream")
    answer = Answer(connection, request, content_type)
    start = prelude(event)
    if event.get("splitPrelude"):
        for byte in start:
            answer.send(bytes([byte]))
            time.sleep(0.001)
    else:
        answer.send(start)
    left, size = event.get("bytes", 0), event.get("chunk", 65536)
    piece = bytes(range(256)) * (size // 256 + 1)
    while left > 0:
        count = min(left, size)
        answer.send(piece[:count])
        left -= count
    for number in range(event.get("events", 0)):
        answer.send(f"data: {number} {time.time_ns()}\n\n".encode())
        time.sleep(event.get("pause", 0))
    if event.get("then") == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if event.get("then") == "close":
        connection.socket.close()
        return Connection()
    if event.get("then") == "hang":
        time.sleep(60)
    trailers = []
    if event.get("then") == "fail":
        document = json.dumps({"errorMessage": "half of it", "errorType": "Halfway", "stackTrace": []})
        trailers = [("Lambda-Runtime-Function-Error-Type", "Function.Halfway"),
                    ("Lambda-Runtime-Function-Error-Body", base64.b64encode(document.encode()).decode())]
    status, _, _ = answer.end(trailers)
    if status != 202:
        print(f"the host answered {status} to the stream", flush=True)
        return Connection()
    return connection


def main():
    connection = Connection()
    while True:
        status, headers, body = connection.ask("GET", "invocation/next")
        if status != 200:
            raise SystemExit(1)
        event = json.loads(body)
        if "requestContext" in event:
            sent = event.get("body", "{}")
            event = json.loads(base64.b64decode(sent) if event.get("isBase64Encoded") else sent)
        request = headers["lambda-runtime-aws-request-id"]
        if "whole" in event:
            connection.ask("POST", f"invocation/{request}/response", json.dumps(event["whole"]).encode())
        else:
            connection = stream(connection, request, event)


main()
