"""Sockets that send what no HTTP client sends, and read what comes back."""
import socket
import time


def address_of(text):
    """`host:port` as a socket wants it."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def connect(address, timeout=10):
    connection = socket.create_connection(address_of(address), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Reply:
    """What a server sent: the status of its last answer, and whether it then closed the connection."""

    def __init__(self, received, closed):
        self.received, self.closed = received, closed
        self.head, _, self.body = received.partition(b"\r\n\r\n")
        while self.head.startswith(b"HTTP/1.1 100"):
            self.head, _, self.body = self.body.partition(b"\r\n\r\n")
        self.status = int(self.head[9:12]) if self.head.startswith(b"HTTP/1.1 ") else None

    def field(self, name):
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name.lower().encode():
                return value.strip().decode()
        return None

    def is_whole(self):
        length = self.field("Content-Length")
        return self.status is not None and length is not None and len(self.body) >= int(length)

    def __repr__(self):
        return f"{self.status} {'closed' if self.closed else 'open'} {self.received[:200]!r}"


def read_reply(connection, seconds=10):
    """One answer; reads on until the server closes if it says that it will."""
    received, closed = b"", False
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        reply = Reply(received, closed)
        if closed or reply.is_whole() and reply.field("Connection") != "close":
            return reply
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = connection.recv(65536)
        except (TimeoutError, socket.timeout):
            break
        except ConnectionResetError:
            piece = b""
        closed = not piece
        received += piece
    return Reply(received, closed)


def send(connection, payload):
    """As much as the server takes."""
    try:
        connection.sendall(payload)
    except OSError:
        pass  # It has refused and closed; what it said is still to be read.


def ask(address, payload, seconds=10, ends=False):
    """Sends bytes on a connection of their own, and reads what comes."""
    with connect(address, seconds) as connection:
        send(connection, payload)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        return read_reply(connection, seconds)
