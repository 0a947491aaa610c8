"""A function that streams as many bytes as its event says, as fast as it can; and a reader of what it sends: for `Benchmarks/programs.py`."""
import json
import os
import socket
import sys

PIECE = bytes(65536)


def ask(connection, file, head, body=b""):
    connection.sendall(f"{head}\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    return reply(file)


def reply(file):
    file.readline()
    fields = {}
    while line := file.readline().strip():
        name, _, value = line.decode().partition(":")
        fields[name.lower()] = value.strip()
    return fields, file.read(int(fields.get("content-length", 0)))


def serve():
    """The function."""
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    connection = socket.create_connection((host, int(port)))
    file = connection.makefile("rb")
    chunk = b"%x\r\n" % len(PIECE) + PIECE + b"\r\n"
    batch = memoryview(chunk * 16)
    while True:
        fields, body = ask(connection, file, "GET /2018-06-01/runtime/invocation/next HTTP/1.1")
        event = json.loads(body)
        count = int(event["rawQueryString"] if "rawQueryString" in event else event["bytes"])
        request = fields["lambda-runtime-aws-request-id"]
        connection.sendall(
            f"POST /2018-06-01/runtime/invocation/{request}/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n".encode())
        for _ in range(count // (16 * len(PIECE))):
            connection.sendall(batch)
        connection.sendall(b"0\r\n\r\n")
        reply(file)


def read(port, request, look):
    """Reads a response to its last chunk: how many bytes came. `look` is called now and then."""
    buffer = memoryview(bytearray(1 << 20))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        total, tail = 0, b""
        while not tail.endswith(b"0\r\n\r\n"):
            count = connection.recv_into(buffer)
            if count == 0:
                raise SystemExit("streaming.py: the stream broke off")
            total += count
            tail = (tail + bytes(buffer[max(0, count - 8):count]))[-8:]
            look(total)
        return total


if __name__ == "__main__":
    sys.exit(serve())
