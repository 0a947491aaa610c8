"""HTTP as nobody should send it, on the agent's port, on the host's, and on that of an instance's Runtime API: what RFC 9112 has
refused is refused, the connection is closed after it, and all three go on."""
import pytest

from kelvin_host import poll, python_function, request
from raw_http import ask

NOBODY = "00000000-0000-0000-0000-000000000000"


class Port:
    """One of the three: what is asked for on it, and what becomes of a body."""

    def __init__(self, address, path, posts, posted):
        self.address = address
        self.path, self.posts, self.posted = path, posts, posted

    def fill(self, shape):
        replaced = {b"<PATH>": self.path, b"<POST>": self.posts, b"<HOST>": self.address}
        for name, value in replaced.items():
            shape = shape.replace(name, value.encode())
        return shape


@pytest.fixture(scope="module")
def host(hosts):
    # Without isolation, so that the test may speak to the instance: else only its own processes may.
    return hosts({"reports": python_function(timeout="30s")}, isolation="none").start()


@pytest.fixture(scope="module")
def ports(host):
    assert host.invoke("reports", {"do": "ok"}).status == 200
    return {
        # No path of the agent's takes a body, and that is told by the method.
        "agent": Port(host.agent, "/-/healthy", "/-/healthy", 405),
        "host": Port(host.host, "/2015-03-31/functions", "/2015-03-31/functions/reports/invocations", 200),
        "instance": Port(
            host.runtime_api(), "/2018-06-01/ping", f"/2018-06-01/runtime/invocation/{NOBODY}/response", 400),
    }


def get(*lines, line=b"GET <PATH> HTTP/1.1", host=b"Host: <HOST>"):
    return b"\r\n".join([line, *([host] if host is not None else []), *lines, b"", b""])


def post(*lines, body=b"", line=b"POST <POST> HTTP/1.1"):
    return b"\r\n".join([line, b"Host: <HOST>", *lines, b"", b""]) + body


CHUNKED = b"Transfer-Encoding: chunked"

# Name, bytes, and the status that is right; where a parser may stop at the version or at the line's end, either. A refusal of the server's own closes the connection.
REFUSED = [
    # The request line
    ("a method in small letters", get(line=b"get <PATH> HTTP/1.1"), 400),
    ("a method that nobody knows", get(line=b"FROBNICATE <PATH> HTTP/1.1"), 400),
    ("no method", get(line=b"<PATH> HTTP/1.1"), 400),
    ("a blank before the method", get(line=b" GET <PATH> HTTP/1.1"), 400),
    ("a colon in the method", get(line=b"GET: <PATH> HTTP/1.1"), 400),
    ("no version", get(line=b"GET <PATH>"), {400, 505}),
    ("version 0.9", get(line=b"GET <PATH> HTTP/0.9"), {400, 505}),
    ("version 1.2", get(line=b"GET <PATH> HTTP/1.2"), {400, 505}),
    ("version 2.0", get(line=b"GET <PATH> HTTP/2.0"), {400, 505}),
    ("version 11", get(line=b"GET <PATH> HTTP/11"), {400, 505}),
    ("a version in small letters", get(line=b"GET <PATH> http/1.1"), 400),
    ("something behind the version", get(line=b"GET <PATH> HTTP/1.1 x"), {400, 505}),
    ("no target", get(line=b"GET HTTP/1.1"), 400),
    ("a target without a slash", get(line=b"GET metrics HTTP/1.1"), 400),
    ("a star to GET", get(line=b"GET * HTTP/1.1"), 400),
    ("a fragment", get(line=b"GET <PATH>#f HTTP/1.1"), 400),
    ("a blank in the target", get(line=b"GET <PATH> a HTTP/1.1"), 400),
    ("NUL in the target", get(line=b"GET <PATH>\0 HTTP/1.1"), 400),
    ("a control character in the target", get(line=b"GET <PATH>\x01 HTTP/1.1"), 400),
    ("another scheme", get(line=b"GET ftp://localhost/ HTTP/1.1"), 400),
    ("a scheme without a host", get(line=b"GET http:///metrics HTTP/1.1"), 400),
    ("user information in the target", get(line=b"GET http://u:p@localhost/ HTTP/1.1"), 400),
    ("a carriage return in the line", get(line=b"GET\r<PATH> HTTP/1.1"), 400),
    # Line ends
    ("line feeds alone", b"GET <PATH> HTTP/1.1\nHost: <HOST>\n\n", {400, 505}),
    ("a line feed alone behind the line", b"GET <PATH> HTTP/1.1\nHost: <HOST>\r\n\r\n", {400, 505}),
    ("a line feed alone behind a field", b"GET <PATH> HTTP/1.1\r\nHost: <HOST>\nX: y\r\n\r\n", 400),
    ("carriage returns alone", b"GET <PATH> HTTP/1.1\rHost: <HOST>\r\r", 400),
    ("two carriage returns", b"GET <PATH> HTTP/1.1\r\r\nHost: <HOST>\r\n\r\n", 400),
    ("a carriage return in a value", get(b"X: a\rb"), 400),
    # Host
    ("no Host", get(host=None), 400),
    ("Host twice", get(b"Host: <HOST>"), 400),
    ("two Hosts", get(b"Host: evil.example"), 400),
    ("a list of hosts", get(host=b"Host: <HOST>, evil.example"), 400),
    ("an empty Host", get(host=b"Host:"), 400),
    ("a blank in Host", get(host=b"Host: local host"), 400),
    ("user information in Host", get(host=b"Host: u@localhost"), 400),
    ("a URL as Host", get(host=b"Host: http://localhost/"), 400),
    ("a port that is none", get(host=b"Host: localhost:x"), 400),
    ("a port above all", get(host=b"Host: localhost:123456"), 400),
    ("half an address", get(host=b"Host: [::1"), 400),
    ("bytes above ASCII in Host", get(host=b"Host: \xff\xfe"), 400),
    # Fields
    ("a blank before the colon", get(b"X : y"), 400),
    ("a tab before the colon", get(b"X\t: y"), 400),
    ("a blank before the first field", b"GET <PATH> HTTP/1.1\r\n X: y\r\nHost: <HOST>\r\n\r\n", 400),
    ("a line that goes on", get(b"X: a", b" b"), 400),
    ("a line that goes on after a tab", get(b"X: a", b"\tb"), 400),
    ("a Host that goes on", b"GET <PATH> HTTP/1.1\r\nHost:\r\n <HOST>\r\n\r\n", 400),
    ("no colon", get(b"Xy"), 400),
    ("no name", get(b": y"), 400),
    ("a blank in a name", get(b"X Y: z"), 400),
    ("a bracket in a name", get(b"X(Y): z"), 400),
    ("NUL in a name", get(b"X\0: y"), 400),
    ("bytes above ASCII in a name", get(b"\xc3\xbc: y"), 400),
    ("NUL in a value", get(b"X: a\0b"), 400),
    ("a control character in a value", get(b"X: a\x07b"), 400),
    ("DEL in a value", get(b"X: a\x7fb"), 400),
    ("fields without number", get(*[b"X: y"] * 300), 431),
    ("a field of 2 MB", get(b"X: " + b"y" * 2_000_000), 431),
    ("a target of 2 MB", get(line=b"GET <PATH>?" + b"y" * 2_000_000 + b" HTTP/1.1"), 431),
    ("a miracle as expectation", post(b"Expect: a-miracle", b"Content-Length: 2", body=b"{}"), 417),
    # Length
    ("Content-Length twice", post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"), 400),
    ("two lengths", post(b"Content-Length: 2", b"Content-Length: 3", body=b"{}"), 400),
    ("a list of lengths", post(b"Content-Length: 2, 2", body=b"{}"), 400),
    ("a plus before the length", post(b"Content-Length: +2", body=b"{}"), 400),
    ("a minus before the length", post(b"Content-Length: -2", body=b"{}"), 400),
    ("a hexadecimal length", post(b"Content-Length: 0x2", body=b"{}"), 400),
    ("a length with an exponent", post(b"Content-Length: 2e0", body=b"{}"), 400),
    ("a length with a blank in it", post(b"Content-Length: 2 2", body=b"{}"), 400),
    ("an empty length", post(b"Content-Length:", body=b"{}"), 400),
    ("a length above all", post(b"Content-Length: 99999999999999999999", body=b"{}"), 400),
    ("length and chunks", post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"), 400),
    ("chunks and length", post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"), 400),
    ("chunked twice", post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"), 400),
    ("chunked twice in a list", post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), {400, 501}),
    ("a coding before chunked", post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), 501),
    ("a coding behind chunked", post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"), {400, 501}),
    ("a coding alone", post(b"Transfer-Encoding: gzip", body=b"0\r\n\r\n"), {400, 501}),
    ("identity", post(b"Transfer-Encoding: identity", body=b"{}"), {400, 501}),
    ("something like chunked", post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), {400, 501}),
    ("chunked behind a vertical tab", post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), 400),
    ("chunks in HTTP/1.0", post(CHUNKED, body=b"0\r\n\r\n", line=b"POST <POST> HTTP/1.0"), 400),
    # Other protocols
    ("TLS", bytes.fromhex("160301007a010000760303") + bytes(range(111)), 400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n", 400),
    ("a proxy's header", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + get(), 400),
    ("noise", bytes(range(256)) * 4, 400),
]

# Chunks, where bodies are read at all.
BROKEN_CHUNKS = [
    ("a size that is none", b"zz\r\n{}\r\n0\r\n\r\n"),
    ("a size with a prefix", b"0x2\r\n{}\r\n0\r\n\r\n"),
    ("a size with a minus", b"-2\r\n{}\r\n0\r\n\r\n"),
    ("no size", b"\r\n{}\r\n0\r\n\r\n"),
    ("a size above all", b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    ("a blank behind the size", b"2 \r\n{}\r\n0\r\n\r\n"),
    ("a line feed alone behind the size", b"2\n{}\r\n0\r\n\r\n"),
    ("no line end behind the bytes", b"2\r\n{}0\r\n\r\n"),
    ("a line feed alone behind the bytes", b"2\r\n{}\n0\r\n\r\n"),
    ("more bytes than said", b"2\r\n{}  \r\n0\r\n\r\n"),
    ("NUL in an extension", b"2;a=\0\r\n{}\r\n0\r\n\r\n"),
    ("a trailer that goes on", b"2\r\n{}\r\n0\r\nX: a\r\n b\r\n\r\n"),
    ("a trailer without a colon", b"2\r\n{}\r\n0\r\nXy\r\n\r\n"),
    ("trailers without number", b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 300 + b"\r\n"),
]

# What looks odd and is right.
TAKEN = [
    ("an empty line first", b"\r\n" + get()),
    ("HTTP/1.0", get(line=b"GET <PATH> HTTP/1.0")),
    ("HTTP/1.0 without Host", get(line=b"GET <PATH> HTTP/1.0", host=None)),
    ("a target in absolute form", get(line=b"GET http://<HOST><PATH> HTTP/1.1", host=b"Host: elsewhere.example")),
    ("blanks around Host", get(host=b"Host:\t <HOST> \t")),
    ("a name in capitals", get(host=b"HOST: <HOST>")),
    ("bytes above ASCII in a value", get(b"X: \xc3\xbc\xff")),
    ("an empty value", get(b"X:")),
    ("a length of nothing", get(b"Content-Length: 0")),
    ("an empty query", get(line=b"GET <PATH>? HTTP/1.1")),
    ("150 fields", get(*[b"X: y"] * 150)),
]
TAKEN_CHUNKS = [
    ("chunks", b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
    ("zeros before a size", b"0002\r\n{}\r\n0\r\n\r\n"),
    ("an extension", b"2;a=b\r\n{}\r\n0\r\n\r\n"),
]
TRAILERS = b"2\r\n{}\r\n0\r\nX: y\r\nZ:\r\n\r\n"


@pytest.mark.parametrize("name", ["agent", "host", "instance"])
def test_what_is_malformed_is_refused_and_the_connection_closed(host, ports, name):
    port = ports[name]
    wrong = {}
    for shape, payload, status in REFUSED:
        reply = ask(port.address, port.fill(payload))
        if reply.status not in (status if isinstance(status, set) else {status}) or not reply.closed:
            wrong[shape] = reply
    for shape, body in BROKEN_CHUNKS:
        reply = ask(port.address, port.fill(post(CHUNKED, body=body)))
        # The agent refuses every body before it looks at it.
        if reply.status not in ({405} if name == "agent" else {400, 431}) or not reply.closed:
            wrong[shape] = reply
    assert not wrong, "".join(f"\n{shape}: {reply}" for shape, reply in wrong.items())
    assert_all_serve(host, ports)


@pytest.mark.parametrize("name", ["agent", "host", "instance"])
def test_what_is_unusual_and_right_is_taken(host, ports, name):
    port = ports[name]
    wrong = {}
    for shape, payload in TAKEN:
        reply = ask(port.address, port.fill(payload))
        if reply.status != 200 or reply.field("Date") is None:
            wrong[shape] = reply
    for shape, body in TAKEN_CHUNKS:
        reply = ask(port.address, port.fill(post(CHUNKED, body=body)))
        if reply.status != port.posted:
            wrong[shape] = reply
    assert not wrong, "".join(f"\n{shape}: {reply}" for shape, reply in wrong.items())
    assert_all_serve(host, ports)


def test_fields_behind_a_body_are_refused_but_where_a_runtime_may_send_them(host, ports):
    reply = ask(ports["host"].address, ports["host"].fill(post(CHUNKED, body=TRAILERS)))
    assert (reply.status, reply.closed) == (400, True), reply
    port = ports["instance"]
    reply = ask(port.address, port.fill(post(CHUNKED, body=TRAILERS)))
    assert reply.status == port.posted and "InvalidRequestID" in reply.body.decode(), reply
    assert_all_serve(host, ports)


def test_a_body_where_none_is_taken_is_refused_before_it_is_read(ports):
    for name in ("agent", "instance"):
        port = ports[name]
        reply = ask(port.address, port.fill(get(b"Content-Length: 6000000")))
        assert (reply.status, reply.closed) == (413, True), (name, reply)
        assert "body" in reply.body.decode()


def test_what_breaks_off_is_forgotten(host, ports):
    shapes = [
        b"", b"G", b"GET ", b"GET <PATH> HTTP/1.1\r\n", b"GET <PATH> HTTP/1.1\r\nHost: <HOST>\r\n", b"\r\n\r\n",
        post(b"Content-Length: 10", body=b"{"), post(CHUNKED, body=b"5\r\nab"), post(CHUNKED, body=b"0\r\n"),
    ]
    for port in ports.values():
        for shape in shapes:
            reply = ask(port.address, port.fill(shape), ends=True)
            assert reply.closed and reply.status in (None, 400, 405), (shape, reply)
    assert_all_serve(host, ports)


def test_what_follows_a_refusal_is_not_taken_for_a_request(host, ports):
    """A front that reads the length differently must not be able to hide a request in a body."""
    hidden = b"POST /2015-03-31/functions/reports/invocations HTTP/1.1\r\nHost: <HOST>\r\nContent-Length: 2\r\n\r\n{}"
    before = host.metrics().total("lambda_invocations_total", function="reports")
    for lines in ([b"Content-Length: 5", CHUNKED], [b"Content-Length: 0", b"Content-Length: 90"], [b"X : y", CHUNKED]):
        reply = ask(ports["host"].address, ports["host"].fill(post(*lines, body=b"0\r\n\r\n" + hidden)))
        assert (reply.status, reply.closed) == (400, True), reply
        assert reply.received.count(b"HTTP/1.1 ") == 1, reply
    assert host.metrics().total("lambda_invocations_total", function="reports") == before


def assert_all_serve(host, ports):
    assert host.process.poll() is None, host.said()
    for port in ports.values():
        assert request(port.address, "GET", port.path).status == 200
    answer = host.invoke("reports", {"do": "ok"})
    assert answer.status == 200 and "X-Amz-Function-Error" not in answer.headers, answer
    poll(lambda: host.metrics().get("lambda_crashes_total", function="reports") == 0, 30, "no instance crashed")
