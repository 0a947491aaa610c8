"""WebSockets of a host: what clients, functions and callers of API Gateway's management API see."""
import asyncio
import base64
import json
import os
import re
import socket
import struct

import boto3
import pytest
from botocore.config import Config
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chromium import Browser
from kelvin_host import FUNCTIONS, poll, python_function, request
from raw_http import address_of, read_reply


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Where the functions write their events."""
    file = tmp_path_factory.mktemp("events") / "events.ndjson"
    file.touch()
    file.chmod(0o666)
    return file


@pytest.fixture(scope="module")
def host(hosts, events):
    def function(handler, **settings):
        return python_function(f"sockets.{handler}", environment={"EVENTS_FILE": str(events)}, **settings)

    return hosts(
        {
            "auth": function("connect", timeout="1s"), "chat": function("message", timeout="1s"),
            "rooms": function("rooms"), "gone": function("disconnect"), "closed": function("message", reserved=0),
        },
        isolation="none",
        sections={"websockets": {
            "chat": {
                "routes": {"$connect": "auth", "$default": "chat", "$disconnect": "gone", "join": "rooms"},
                "allowOrigins": ["http://allowed.example"],
            },
            "bare": {"routes": {"join": "rooms"}, "key": "$request.body.to.room", "connections": 2, "idle": "1s"},
            "aws": {"function": "chat", "errors": "aws", "timeout": "200ms"},
            "paused": {"routes": {"$default": "closed"}},
            "counted": {"routes": {"$default": "chat"}},
            "small": {"routes": {"$default": "chat"}, "messageSize": "2KB", "frameSize": "1KB"},
        }},
    ).start()


@pytest.fixture(scope="module")
def management(host):
    def make(path=""):
        return boto3.client(
            "apigatewaymanagementapi", endpoint_url=f"http://{host.host}{path}", region_name="eu-central-1",
            aws_access_key_id="test", aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}))

    return make


def open_socket(host, name="chat", query="", **settings):
    return connect(f"ws://{host.host}/ws/{name}{query}", compression=None, **settings)


async def ask(client, what):
    await client.send(what if isinstance(what, (str, bytes)) else json.dumps(what))
    return await asyncio.wait_for(client.recv(), 10)


async def connection_id(client):
    return json.loads(await ask(client, {"do": "event"}))["requestContext"]["connectionId"]


def noted(events, kind):
    return [event for line in events.read_text().splitlines()
            if (event := json.loads(line))["requestContext"]["eventType"] == kind]


def test_events_have_the_shapes_of_api_gateway(host, events):
    async def story():
        async with open_socket(host, query="?a=1&a=2&b=x%20y", additional_headers={"X-Own": "1"}) as client:
            return json.loads(await ask(client, {"do": "event"}))

    message = asyncio.run(story())
    context = message["requestContext"]
    identity = context["connectionId"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{15}=", identity)
    assert message["body"] == '{"do": "event"}' and message["isBase64Encoded"] is False
    assert set(context) == {
        "routeKey", "messageId", "eventType", "extendedRequestId", "requestTime", "messageDirection", "stage",
        "connectedAt", "requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId",
    }
    assert (context["routeKey"], context["eventType"], context["messageDirection"]) == ("$default", "MESSAGE", "IN")
    assert (context["apiId"], context["domainName"], context["identity"]["sourceIp"]) == ("chat", host.host, "127.0.0.1")
    assert context["requestTimeEpoch"] >= context["connectedAt"] > 1_600_000_000_000

    connected = [event for event in noted(events, "CONNECT") if event["requestContext"]["connectionId"] == identity][0]
    assert "body" not in connected and "messageId" not in connected["requestContext"]
    assert connected["requestContext"]["routeKey"] == "$connect"
    assert connected["headers"]["X-Own"] == "1" and connected["multiValueHeaders"]["X-Own"] == ["1"]
    assert connected["headers"]["Sec-WebSocket-Version"] == "13" and "Upgrade" not in connected["headers"]
    assert connected["queryStringParameters"] == {"a": "2", "b": "x y"}
    assert connected["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["x y"]}

    gone = poll(lambda: [event for event in noted(events, "DISCONNECT")
                         if event["requestContext"]["connectionId"] == identity], 10, "$disconnect comes")[0]
    assert gone["requestContext"]["routeKey"] == "$disconnect"
    assert gone["requestContext"]["disconnectStatusCode"] == 1000
    assert gone["requestContext"]["connectedAt"] == context["connectedAt"]


@pytest.mark.parametrize(("query", "status"), [
    ("?status=403", 403), ("?status=500", 500), ("?fail=1", 502), ("?sleep=5", 504), ("?protocol=other", 502),
    ("?a=%ZZ", 400),
])
def test_connect_decides(host, query, status):
    async def story():
        with pytest.raises(InvalidStatus) as refusal:
            async with open_socket(host, query=query, subprotocols=["v1", "v2"]):
                pass
        return refusal.value.response.status_code

    assert asyncio.run(story()) == status


def test_a_subprotocol_is_chosen_by_the_answer(host):
    async def story():
        async with open_socket(host, query="?protocol=v2", subprotocols=["v1", "v2"]) as client:
            return client.subprotocol

    assert asyncio.run(story()) == "v2"


def test_answers_and_failures_go_back_and_the_connection_stays(host):
    async def story():
        async with open_socket(host) as client:
            assert await ask(client, "plain") == "plain"
            assert await ask(client, b"\x00\xff") == b"\x00\xff"
            assert await ask(client, {"do": "base64"}) == bytes(range(256))
            assert await ask(client, {"do": "answer", "answer": {"a": [1, None]}}) == '{"a":[1,null]}'
            assert await ask(client, {"do": "answer", "answer": "text"}) == "text"
            assert json.loads(await ask(client, {"do": "fail"})) == {"error": "told to fail"}
            assert json.loads(await ask(client, {"do": "exit"})) == {"error": "Runtime exited with error: exit status 3"}
            assert json.loads(await ask(client, {"do": "sleep", "seconds": 5})) == {"error": "Task timed out after 1.00 seconds"}
            assert json.loads(await ask(client, {"do": "answer", "answer": {"statusCode": 418}})) == {
                "error": "The function answered with status 418."}
            assert await ask(client, {"do": "answer", "answer": {"statusCode": 500, "body": "own words"}}) == "own words"
            await client.send(json.dumps({"do": "silent"}))
            assert await ask(client, {"action": "join"}) == "rooms:join"
            assert await ask(client, {"action": "$connect", "do": "answer", "answer": 1}) == "1"
            assert len(await ask(client, {"do": "large", "bytes": 130_000})) == 130_000
            assert await asyncio.wait_for(await client.ping(), 10) >= 0

    asyncio.run(story())


def test_messages_of_one_connection_are_handled_beside_each_other(host):
    async def story():
        async with open_socket(host) as client:
            await client.send(json.dumps({"do": "sleep", "seconds": 0.5}))
            await client.send("fast")
            return [await client.recv(), await client.recv()]

    first, second = asyncio.run(story())
    assert first == "fast" and json.loads(second)["do"] == "sleep"


def test_routes_without_a_default_and_limits_of_time_and_number(host):
    async def story():
        async with open_socket(host, "bare") as first, open_socket(host, "bare") as second:
            with pytest.raises(InvalidStatus) as refusal:
                async with open_socket(host, "bare"):
                    pass
            assert refusal.value.response.status_code == 503
            assert await ask(first, {"to": {"room": "join"}}) == "rooms:join"
            assert "no $default" in json.loads(await ask(second, {"action": "join"}))["error"]
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(second.recv(), 10)
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "Idle timeout")
        async with open_socket(host, "bare"):
            pass

    asyncio.run(story())


def test_throttled_messages_and_words_of_aws(host):
    async def story():
        async with open_socket(host, "paused") as client:
            assert json.loads(await ask(client, "a")) == {"error": "Rate Exceeded."}
        async with open_socket(host, "aws") as client:
            identity = await connection_id(client)
            for what in ({"do": "fail"}, {"do": "sleep", "seconds": 5}):
                answer = json.loads(await ask(client, what))
                assert answer.pop("requestId") and answer == {"message": "Internal server error", "connectionId": identity}

    asyncio.run(story())


@pytest.mark.parametrize("path", ["", "/local", "/prod"])
def test_boto3_posts_gets_and_deletes(host, management, path):
    api = management(path)

    async def story():
        async with open_socket(host) as client:
            identity = await connection_id(client)
            await asyncio.to_thread(api.post_to_connection, ConnectionId=identity, Data="grüße".encode())
            await asyncio.to_thread(api.post_to_connection, ConnectionId=identity, Data=b"\xff\x00")
            assert [await client.recv(), await client.recv()] == ["grüße", b"\xff\x00"]
            found = await asyncio.to_thread(api.get_connection, ConnectionId=identity)
            assert found["Identity"]["SourceIp"] == "127.0.0.1" and "websockets" in found["Identity"]["UserAgent"]
            assert found["LastActiveAt"] >= found["ConnectedAt"]
            with pytest.raises(api.exceptions.PayloadTooLargeException):
                await asyncio.to_thread(api.post_to_connection, ConnectionId=identity, Data=b"x" * (128 * 1024 + 1))
            with pytest.raises(api.exceptions.PayloadTooLargeException):
                await asyncio.to_thread(api.post_to_connection, ConnectionId=identity, Data=b"x" * (2 << 20))
            await asyncio.to_thread(api.delete_connection, ConnectionId=identity)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd.code == 1000
        for call in (api.get_connection, api.delete_connection, lambda **who: api.post_to_connection(Data=b"", **who)):
            with pytest.raises(api.exceptions.GoneException):
                call(ConnectionId=identity)
        with pytest.raises(api.exceptions.ClientError, match="BadRequestException"):
            api.get_connection(ConnectionId="nonsense")

    asyncio.run(story())


def test_a_client_that_leaves_during_connect_is_disconnected(host, events):
    connection = socket.create_connection(address_of(host.host), timeout=10)
    lines = [
        "GET /ws/chat?sleep=0.5 HTTP/1.1", f"Host: {host.host}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def mine(kind):
        return [event for event in noted(events, kind) if (event.get("queryStringParameters") or {}).get("sleep") == "0.5"]

    (connected,) = poll(lambda: mine("CONNECT"), 10, "$connect is asked")
    connection.close()
    identity = connected["requestContext"]["connectionId"]
    gone = poll(lambda: [event for event in noted(events, "DISCONNECT") if event["requestContext"]["connectionId"] == identity],
                10, "$disconnect comes")
    assert gone[0]["requestContext"]["disconnectStatusCode"] == 1006


def test_a_post_within_connect_finds_nothing(host):
    async def story():
        with pytest.raises(InvalidStatus) as refusal:
            async with open_socket(host, query=f"?post={host.host}"):
                pass
        return refusal.value.response.headers["X-Posted"]

    assert asyncio.run(story()) == "410"


# Raw bytes

KEY = base64.b64encode(b"0123456789abcdef").decode()


def handshake(host, name="chat", **changes):
    """The connection and the answer to a handshake of which some fields are others, or are left out."""
    fields = {"Host": host.host, "Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": KEY}
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    method = fields.pop("method", "GET")
    connection = socket.create_connection(address_of(host.host), timeout=10)
    lines = [f"{method} /ws/{name} HTTP/1.1", *[f"{key}: {value}" for key, value in fields.items() if value is not None]]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(1)
        assert piece, received
        received += piece
    return connection, int(received[9:12])


def frame(opcode, data=b"", final=True, masked=True, length=None):
    head = bytes([(0x80 if final else 0) | opcode])
    count, mask = len(data) if length is None else length, 0x80 if masked else 0
    head += bytes([mask | count]) if count < 126 else bytes([mask | 126]) + struct.pack(">H", count) if count < 65536 \
        else bytes([mask | 127]) + struct.pack(">Q", count)
    if not masked:
        return head + data
    key = b"\x01\x02\x03\x04"
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(data))


def closing_code(connection):
    """The code of the closing frame that comes next, after which the server ends the connection."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    assert received[0] == 0x88 and received[1] == len(received) - 2, received[:100]
    return struct.unpack(">H", received[2:4])[0]


@pytest.mark.parametrize(("sent", "code"), [
    (frame(1, b"hello", masked=False), 1002),
    (frame(1, length=40_000), 1009),
    (frame(2, length=1 << 62), 1009),
    (frame(9, b"x" * 126), 1002),
    (frame(3), 1002),
    (frame(0, b"more"), 1002),
    (frame(1, b"\xff"), 1007),
    (frame(1, b"\xe2\x82", final=False) + frame(0, b"\x28"), 1007),
    (frame(1, b"\xe2\x82"), 1007),
    (frame(8, b"\x03"), 1002),
    (frame(1, b"x" * 30_000, final=False) + b"".join([frame(0, b"x" * 30_000, final=False)] * 5), 1009),
])
def test_frames_that_break_rules_close_the_connection(host, sent, code):
    connection, status = handshake(host)
    with connection:
        assert status == 101
        connection.sendall(sent)
        assert closing_code(connection) == code


def test_half_a_character_at_the_end_of_a_fragment_is_none_of_the_servers_business(host):
    connection, _ = handshake(host)
    with connection:
        connection.sendall(frame(1, b"\xe2\x82", final=False) + frame(9, b"!") + frame(0, b"\xac"))
        received = b""
        while len(received) < 8:
            received += connection.recv(100)
        assert received == b"\x8a\x01!" + b"\x81\x03\xe2\x82\xac"


@pytest.mark.parametrize(("changes", "status"), [
    ({"Upgrade": None}, 426), ({"Upgrade": "h2c"}, 426), ({"Sec_WebSocket_Version": "8"}, 426),
    ({"Sec_WebSocket_Version": None}, 426), ({"Sec_WebSocket_Key": None}, 400), ({"Sec_WebSocket_Key": "short"}, 400),
    ({"Connection": "keep-alive"}, 400), ({"method": "POST"}, 501), ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403), ({"Host": "evil.example"}, 403), ({"Origin": "http://allowed.example"}, 101),
    ({"name": "nobody"}, 404),
])
def test_handshakes_that_are_none(host, changes, status):
    connection, answered = handshake(host, **changes)
    connection.close()
    assert answered == status


def test_limits_of_a_file_hold(host):
    connection, _ = handshake(host, "small")
    with connection:
        connection.sendall(frame(1, b"x" * 1_025))
        assert closing_code(connection) == 1009


def test_an_answer_over_the_limit_is_a_failure(host):
    async def story():
        async with open_socket(host, "small") as client:
            return [await ask(client, {"do": "large", "bytes": bytes}) for bytes in (2_048, 2_049)]

    fits, error = asyncio.run(story())
    assert fits == "x" * 2_048
    assert json.loads(error) == {"error": "The function's answer has 2049 bytes, and a message has at most 2048 (messageSize)."}


def test_an_api_that_a_reload_removes_and_adds_again_has_its_limit(hosts):
    api = {"routes": {"$default": "chat"}, "connections": 1}
    host = hosts({"chat": python_function("sockets.message")}, isolation="none", sections={"websockets": {"one": api}}).start()
    file = host.folder / "kelvin.yaml"
    document = json.loads(file.read_text())

    def reload(sockets):
        file.write_text(json.dumps({**document, "websockets": sockets}))
        answer = host.run("reload")
        assert answer.returncode == 0, answer.stderr

    first, status = handshake(host, "one")
    with first:
        assert status == 101
        reload({})
        connection, status = handshake(host, "one")
        connection.close()
        assert status == 404
        reload({"one": api})
        assert closing_code(first) == 1001
    second, status = poll(lambda: (answer := handshake(host, "one"))[1] == 101 and answer, 10, "there is room again")
    with second:
        third, status = handshake(host, "one")
        third.close()
        assert status == 503


def test_a_client_that_reads_nothing_is_cut_off(host, management):
    connection, _ = handshake(host)
    with connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(frame(1, json.dumps({"do": "event"}).encode()))
        received = b""
        while b"connectionId" not in received or not received.endswith(b"}"):
            received += connection.recv(4096)
        identity = re.search(rb'"connectionId":"([^"]+)"', received)[1].decode()
        api = management()
        with pytest.raises(api.exceptions.GoneException):
            for _ in range(200):
                api.post_to_connection(ConnectionId=identity, Data=b"x" * 100_000)
        with pytest.raises(api.exceptions.GoneException):
            api.get_connection(ConnectionId=identity)


def test_what_happened_is_counted(host):
    assert host.metrics()("lambda_websocket_connections", websocket="counted") == 0

    async def story():
        async with open_socket(host, "counted") as one, open_socket(host, "counted"):
            for what in ["a", "b", {"do": "fail"}, {"do": "sleep", "seconds": 5}]:
                await ask(one, what)
            await one.send(json.dumps({"do": "silent"}))
            with pytest.raises(InvalidStatus):
                async with open_socket(host, "counted", additional_headers={"Origin": "http://evil.example"}):
                    pass
            return await asyncio.to_thread(host.metrics)

    def counts(metrics):
        names = ["connections_opened", "connections_refused", "connections_closed", "messages_received", "messages_delivered",
                 "messages_failed", "messages_timed_out", "messages_processed", "messages_sent"]
        return {name: metrics(f"lambda_websocket_{name}_total", websocket="counted") for name in names}

    metrics = asyncio.run(story())
    assert metrics("lambda_websocket_connections", websocket="counted") == 2
    expected = {
        "connections_opened": 2, "connections_refused": 1, "connections_closed": 2, "messages_received": 5,
        "messages_delivered": 5, "messages_failed": 1, "messages_timed_out": 1, "messages_processed": 3,
        "messages_sent": 4}
    poll(lambda: counts(host.metrics()) == expected, 10, lambda: f"what was counted is true: {counts(host.metrics())}")
    metrics = host.metrics()
    assert metrics("lambda_websocket_connections", websocket="counted") == 0
    assert metrics("lambda_websocket_connection_seconds_count", websocket="counted") == 2


def test_a_browser_talks_from_a_page_of_the_host_only(host):
    script = """new Promise(done => {
      const socket = new WebSocket('ws://%s/ws/chat');
      socket.onopen = () => socket.send('from a browser');
      socket.onmessage = message => done(message.data);
      socket.onerror = () => done('refused');
    })""" % host.host
    with Browser() as browser:
        # Any answer of the host makes a page of its origin.
        browser.open(f"http://{host.host}/url/nobody/")
        assert browser.evaluate(script) == "from a browser"
        browser.open(f"http://{host.agent}/")
        assert browser.evaluate(script) == "refused"


def test_a_reload_keeps_connections_and_a_stop_closes_them_with_1001(hosts):
    functions = {"chat": python_function("sockets.message"), "rooms": python_function("sockets.rooms")}
    host = hosts(functions, isolation="none", sections={
        "websockets": {"chat": {"function": "chat"}, "other": {"routes": {"$default": "chat"}}},
        "schedules": {"nightly": {"function": "rooms", "expression": "0 3 * * *"}}}).start()
    file = host.folder / "kelvin.yaml"
    document = json.loads(file.read_text())

    async def reload():
        file.write_text(json.dumps(document))
        return await asyncio.to_thread(host.run, "reload")

    async def reloads():
        async with open_socket(host) as client, open_socket(host, "other") as other:
            assert await ask(client, {"action": "join"}) == '{"action": "join"}'
            document["websockets"] = {"chat": {"function": "chat", "routes": {"join": "rooms"}}}
            document["schedules"]["nightly"]["expression"] = "0 4 * * *"
            reloaded = await reload()
            assert reloaded.returncode == 0, reloaded
            assert await ask(client, {"action": "join"}) == "rooms:join"
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(other.recv(), 10)
            assert closed.value.rcvd.code == 1001
            (nightly,) = request(host.host, "GET", "/kelvin/v1/schedules").json()["schedules"]
            assert all("T04:00:00Z" in text for text in nightly["next"])
            document["websockets"]["chat"]["function"] = "nobody"
            assert (await reload()).returncode != 0
            assert await ask(client, "still") == "still"

    async def story():
        async with open_socket(host) as client, open_socket(host) as busy:
            assert await ask(busy, "warm") == "warm"
            await busy.send(json.dumps({"do": "sleep", "seconds": 0.7}))
            await asyncio.sleep(0.1)
            stopping = asyncio.create_task(asyncio.to_thread(host.stop))
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd.code == 1001
            assert json.loads(await busy.recv())["do"] == "sleep"
            with pytest.raises(ConnectionClosed) as closed:
                await busy.recv()
            assert closed.value.rcvd.code == 1001
            assert await stopping == 0

    asyncio.run(reloads())
    asyncio.run(story())
