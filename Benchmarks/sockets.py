"""Clients of WebSockets for the benchmarks, as much of RFC 6455 as they need. Standard library only."""
import resource
import socket
import struct

HANDSHAKE = (
    b"GET /ws/chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")


def open_socket(port):
    """A connection that is open."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(HANDSHAKE)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(4096)
    if not answer.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"sockets.py: the handshake was answered with {answer[:100]!r}")
    return connection


def open_sockets(port, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, count + 1024), hard), hard))
    return [open_socket(port) for _ in range(count)]


def text_frame(text):
    """A message, masked with a key of zeros, which leaves it as it is."""
    data = text.encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


def exchange(connection, frame):
    """Sends a frame, and returns the message that comes back."""
    connection.sendall(frame)
    received = connection.recv(65536)
    while True:
        start, length = 2, received[1] if len(received) > 1 else 127
        if length == 126 and len(received) >= 4:
            start, length = 4, struct.unpack(">H", received[2:4])[0]
        if length < 126 or start == 4:
            if len(received) >= start + length:
                return received[start:start + length]
        received += connection.recv(65536)
