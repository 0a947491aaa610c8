"""Real web frameworks behind function URLs: FastAPI through Mangum, Flask through apig-wsgi, both as they come from PyPI."""
import http.client
import json
from urllib.parse import quote, urlsplit

import pytest

from kelvin_host import python_function, request

NAMES = ["fastapi", "flask"]
BINARY = bytes(range(256)) * 4
TREE = {"text": "\u00fc \u2603 \U0001f600", "list": [1.5, None, True], "empty": {}}


@pytest.fixture(scope="module")
def host(hosts):
    settings = {"timeout": "60s", "memory": "512MB"}
    return hosts({
        "fastapi": python_function("fastapi_app.handler", **settings),
        "flask": python_function("flask_app.handler", **settings),
    }).start()


def ask(host, name, method, path, body=None, headers=None):
    """By the host name, as a browser does: the whole path is the application's."""
    port = host.host.split(":")[1]
    return request(host.host, method, path, body, {"Host": f"{name}.localhost:{port}", **(headers or {})})


def origin(host, name):
    return f"http://{name}.localhost:{host.host.split(':')[1]}"


@pytest.mark.parametrize("name", NAMES)
def test_a_redirect_to_the_trailing_slash_stays_on_http_host_and_port(host, name):
    answer = ask(host, name, "GET", "/items?q=1&tag=a%20b")
    assert answer.status in (307, 308), answer
    location = urlsplit(answer.headers["Location"])
    here = origin(host, name)
    assert (location.scheme + "://" + location.netloc, location.path) == (here, "/items/")
    followed = ask(host, name, "GET", f"{location.path}?{location.query}")
    assert followed.status == 200
    found = followed.json()
    assert found["q"] == "1"
    assert found["url"].startswith(here + "/items/"), found


@pytest.mark.parametrize("name", NAMES)
def test_a_redirect_of_the_application(host, name):
    answer = ask(host, name, "GET", "/login")
    assert answer.status in (302, 303)
    assert answer.headers["Location"] in ("/items/", origin(host, name) + "/items/")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("query, q", [
    ("q=a+b%20c", "a b c"), ("q=%C3%BC%E2%98%83", "\u00fc\u2603"), ("q=100%25", "100%"), ("q=a%26b%3Dc", "a&b=c"),
    ("q=%%URL%%", "%%URL%%"), ("q=", "")])
def test_queries(host, name, query, q):
    # Not by http.client's own check of paths: some of these are not what it would send.
    connection = http.client.HTTPConnection(host.host, timeout=60)
    connection.putrequest("GET", f"/items/?{query}", skip_host=True)
    connection.putheader("Host", f"{name}.localhost")
    connection.endheaders()
    reply = connection.getresponse()
    found = json.loads(reply.read())
    connection.close()
    assert (reply.status, found["q"]) == (200, q)


def test_repeated_parameters_reach_flask(host):
    assert ask(host, "flask", "GET", "/items/?tag=a&tag=b").json()["tags"] == ["a", "b"]


@pytest.mark.parametrize("name", NAMES)
def test_cookies(host, name):
    answer = ask(host, name, "GET", "/cookies", headers={"Cookie": "session=abc; theme=dark"})
    assert answer.status == 200
    cookies = answer.headers.get_all("Set-Cookie")
    assert [cookie.split(";")[0] for cookie in cookies] == ["a=1", "b=zwei"]
    if name == "flask":
        assert answer.json()["sent"] == {"session": "abc", "theme": "dark"}
    else:
        sent = ask(host, name, "GET", "/who", headers={"Cookie": "session=abc; theme=dark"}).json()
        assert sent["cookies"] == {"session": "abc", "theme": "dark"}


def test_fastapi_knows_its_own_address(host):
    who = ask(host, "fastapi", "GET", "/who").json()
    assert (who["scheme"], who["url"]) == ("http", origin(host, "fastapi") + "/items/")
    assert ask(host, "fastapi", "GET", "/items/").json()["client"] == "127.0.0.1"


@pytest.mark.parametrize("name", NAMES)
def test_binary_bodies(host, name):
    answer = ask(host, name, "POST", "/bytes", BINARY, {"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.body) == (200, BINARY)
    assert answer.headers.get_all("Content-Type") == ["application/octet-stream"]


@pytest.mark.parametrize("name", NAMES)
def test_a_body_in_chunks(host, name):
    answer = ask(
        host, name, "POST", "/bytes", iter([BINARY, BINARY]), {"Content-Type": "image/png"})
    assert (answer.status, answer.body) == (200, BINARY * 2)


@pytest.mark.parametrize("name", NAMES)
def test_json(host, name):
    answer = ask(host, name, "POST", "/json", json.dumps(TREE).encode(), {"Content-Type": "application/json"})
    assert (answer.status, answer.json()) == (200, TREE)
    assert answer.headers.get_all("Content-Type") == ["application/json"]
    broken = ask(host, name, "POST", "/json", b"{", {"Content-Type": "application/json"})
    assert broken.status >= 400


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["caf\u00e9/\u2603", "a b", "100%", "a+b", "dots/../up"])
def test_paths(host, name, path):
    answer = ask(host, name, "GET", "/path/" + quote(path, safe="/+"))
    assert (answer.status, answer.json()["name"]) == (200, path)


def test_answers_without_a_body(host):
    for answer in [ask(host, "fastapi", "DELETE", "/nothing"), ask(host, "flask", "GET", "/status/204")]:
        assert (answer.status, answer.body) == (204, b"")
    assert ask(host, "flask", "GET", "/status/304").status == 304
    head = ask(host, "flask", "HEAD", "/items/")
    assert (head.status, head.body) == (200, b"")
    assert ask(host, "fastapi", "GET", "/nowhere").status == 404


@pytest.mark.parametrize("sent", [
    None, "", "garbage", "Root=1-5759e988-bd862e3fe1be46a994272793",
    "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:0",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
def test_xray_reads_every_trace(host, sent):
    trace = ask(host, "fastapi", "GET", "/trace", headers={} if sent is None else {"X-Amzn-Trace-Id": sent}).json()
    assert trace["root"].startswith("1-") and len(trace["root"]) == 35
    assert len(trace["parent"]) == 16
    assert trace["sampled"] in (0, 1)
    if sent and "Root" in sent:
        assert trace["root"] == "1-5759e988-bd862e3fe1be46a994272793"
        assert trace["sampled"] == int("Sampled=1" in sent)
    if sent and "Lineage" in sent:
        assert trace["data"] == {"Lineage": "a87bd80c:0"} and trace["parent"] == "53995c3f42cd8ad8"
