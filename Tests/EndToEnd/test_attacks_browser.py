"""A web page of somebody else, in headless Chromium, against agent and host: it runs nothing, changes nothing, reads nothing."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest

from chromium import Browser
from kelvin_host import poll, port_of, python_function, request

# The name that its owner points at 127.0.0.1 once the page is loaded.
ATTACKER = "attacker.test"
REBINDING = f"--host-resolver-rules=MAP {ATTACKER} 127.0.0.1"


class Page(BaseHTTPRequestHandler):
    """An empty page of the attacker's; what it does is typed into the browser's console."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"<!doctype html><title>harmless</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def page_port():
    """The port of a web server of the attacker's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def host(hosts, page_port):
    """One function that is closed to pages, and one that is open to the page of one origin."""
    cors = {"AllowOrigins": [f"http://127.0.0.1:{page_port}"], "AllowMethods": ["GET", "PUT"],
            "AllowHeaders": ["X-Token"], "ExposeHeaders": ["X-Kind"], "MaxAge": 60}
    return hosts({
        "closed": python_function(reserved=3), "opened": python_function(cors=cors),
    }, allowed_hosts=["kelvin.test"]).start()


@pytest.fixture(scope="module")
def browser():
    with Browser(flags=[REBINDING]) as browser:
        yield browser


def state(host):
    """What a page could have changed, and how often functions ran."""
    api = "/2015-03-31/functions"
    metrics = host.metrics()
    return {
        "runs": {name: metrics.total("lambda_invocations_total", function=name) for name in ("closed", "opened")},
        "instances": metrics.total("lambda_initializations_total", function="closed"),
        "aliases": request(host.host, "GET", f"{api}/closed/aliases").json(),
        "configuration": request(host.host, "GET", f"{api}/closed/configuration").json(),
        "concurrency": request(host.host, "GET", "/2019-09-30/functions/closed/concurrency").json(),
    }


def attempts(host):
    """Method, URL, body and type of what a page sends without being asked: the browser needs no leave for these."""
    api, functions = f"http://{host.host}/2015-03-31/functions", f"http://{host.host}/url"
    alias = json.dumps({"Name": "evil", "FunctionVersion": "1"})
    return [
        ("POST", f"{api}/closed/invocations", "{}", "text/plain"),
        ("POST", f"{api}/closed/invocations", "a=b", "application/x-www-form-urlencoded"),
        ("POST", f"{api}/closed/aliases", alias, "text/plain"),
        ("POST", f"{functions}/closed/", "{}", "text/plain"),
        ("GET", f"{functions}/closed/?do=echo", None, None),
        ("POST", f"{functions}/opened/", "{}", "text/plain"),
    ]


def send(browser, method, url, body=None, content_type=None, mode="no-cors"):
    """What the page gets to see of an answer: its type, status and text, or the error."""
    options = {"method": method, "mode": mode, "cache": "no-store"}
    if body is not None:
        options.update(body=body, headers={"Content-Type": content_type})
    return browser.evaluate(f"""fetch({json.dumps(url)}, {json.dumps(options)}).then(
        async reply => [reply.type, reply.status, await reply.text()], error => ['error', 0, String(error)])""")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", ATTACKER])
def test_a_page_of_another_origin_runs_and_changes_nothing(host, browser, page_port, name):
    """Another site, and another port of this machine."""
    before = state(host)
    browser.open(f"http://{name}:{page_port}/")
    for method, url, body, content_type in attempts(host):
        if name == "127.0.0.1" and "/opened/" in url:
            continue  # It may.
        assert send(browser, method, url, body, content_type) == ["opaque", 0, ""]
        assert send(browser, method, url, body, content_type, "cors")[0] == "error"
    # What needs no script.
    image = f"http://{host.host}/url/closed/?do=image"
    browser.evaluate(f"""new Promise(done => {{
      const image = Object.assign(new Image(), {{onload: done, onerror: done, src: {json.dumps(image)}}});
      document.body.append(image);
    }})""")
    form = f"http://{host.host}/2015-03-31/functions/closed/invocations"
    browser.evaluate(f"""new Promise(done => {{
      const frame = Object.assign(document.createElement('iframe'), {{name: 'frame', onload: done}});
      const form = Object.assign(document.createElement('form'), {{
        method: 'post', target: 'frame', enctype: 'text/plain', action: {json.dumps(form)}}});
      document.body.append(frame, form);
      form.submit();
    }})""")
    assert state(host) == before


def test_a_page_of_another_origin_reads_nothing_of_the_agent(host, browser, page_port):
    for name in ("127.0.0.1", ATTACKER):
        browser.open(f"http://{name}:{page_port}/")
        for path in ("/metrics", "/api/v1/status", "/api/v1/instances", "/api/v1/live"):
            url = f"http://{host.agent}{path}"
            assert send(browser, "GET", url, mode="cors")[0] == "error"
            assert send(browser, "GET", url) == ["opaque", 0, ""]
        outcome = browser.evaluate(f"""new Promise(done => {{
          const script = Object.assign(document.createElement('script'), {{
            src: 'http://{host.agent}/assets/kelvin.js', onload: () => done('loaded'), onerror: () => done('refused')}});
          document.head.append(script);
        }})""")
        assert outcome == "refused"


def test_a_page_whose_name_was_pointed_here_is_refused(host, browser):
    """DNS rebinding: to the browser, page and server are one origin, and it sends neither Origin nor Sec-Fetch-Site."""
    before = state(host)
    browser.open(f"http://{ATTACKER}:{port_of(host.host)}/url/closed/")
    own = f"http://{ATTACKER}:{port_of(host.host)}"
    for method, path, body in [
        ("GET", "/2015-03-31/functions", None), ("GET", "/url/closed/?do=environment", None),
        ("POST", "/2015-03-31/functions/closed/invocations", "{}"),
        ("PUT", "/2017-10-31/functions/closed/concurrency", json.dumps({"ReservedConcurrentExecutions": 0})),
        ("PUT", "/2015-03-31/functions/closed/configuration", json.dumps({"MemorySize": 1024})),
        ("POST", "/2015-03-31/functions/closed/aliases", json.dumps({"Name": "evil", "FunctionVersion": "1"})),
    ]:
        kind, status, text = send(browser, method, own + path, body, "application/json", "same-origin")
        assert (kind, status) == ("basic", 403), path
        assert ATTACKER in text and "allowedHosts" in text
    browser.open(f"http://{ATTACKER}:{port_of(host.agent)}/")
    assert browser.evaluate("document.title") == ""
    for path in ("/metrics", "/api/v1/status", "/api/v1/instances", "/api/v1/windows", "/assets/kelvin.js", "/-/healthy"):
        kind, status, text = send(browser, "GET", f"http://{ATTACKER}:{port_of(host.agent)}{path}", mode="same-origin")
        assert (kind, status) == ("basic", 403) and "closed" not in text and json.loads(text)["error"]["code"] == "forbidden"
    assert state(host) == before


def test_a_link_shows_the_agents_page_and_runs_no_function(host, browser, page_port):
    before = state(host)
    browser.open(f"http://{ATTACKER}:{page_port}/")
    browser.evaluate(f"location.href = 'http://{host.host}/url/closed/'; 0")
    browser.wait_for("location.pathname === '/url/closed/' && document.readyState === 'complete'")
    assert "A web page of another origin" in browser.evaluate("document.body.innerText")
    assert state(host) == before
    browser.open(f"http://{ATTACKER}:{page_port}/")
    browser.evaluate(f"location.href = 'http://{host.agent}/'; 0")
    browser.wait_for("document.getElementById('state')?.textContent === 'Live'")


def test_a_person_who_types_the_address_is_served(host, browser):
    before = state(host)["runs"]["closed"]
    browser.open(f"http://{host.host}/url/closed/?do=typed")
    assert '"typed"' in browser.evaluate("document.body.innerText")
    browser.open(f"http://closed.localhost:{port_of(host.host)}/?do=named")
    assert '"named"' in browser.evaluate("document.body.innerText")
    # A page that a function serves may call it.
    kind, status, text = send(browser, "POST", f"http://closed.localhost:{port_of(host.host)}/", "{}", "text/plain", "cors")
    assert (kind, status) == ("basic", 200) and "did" in text
    poll(lambda: state(host)["runs"]["closed"] - before >= 3, 10, "three runs are counted")


def test_a_function_that_is_opened_to_a_page_answers_it(host, browser, page_port):
    before = state(host)["runs"]["opened"]
    browser.open(f"http://127.0.0.1:{page_port}/")
    url = f"http://{host.host}/url/opened/?" + urlencode({"do": "echo"})
    shown = browser.evaluate(f"""fetch({json.dumps(url)}, {{method: 'PUT', headers: {{'X-Token': '1'}}, body: 'hello'}}).then(
        async reply => [reply.type, reply.status, reply.headers.get('X-Kind'), await reply.text()])""")
    assert shown == ["cors", 200, "echo", "hello"]
    # One run: the preflight was answered without it.
    poll(lambda: state(host)["runs"]["opened"] - before >= 1, 10, "the run is counted")
    assert state(host)["runs"]["opened"] - before == 1
    refused = browser.evaluate(f"""fetch({json.dumps(url)}, {{method: 'PUT', headers: {{'X-Other': '1'}}}}).then(
        reply => reply.status, error => 'refused')""")
    assert refused == "refused"
    configuration = request(host.host, "GET", "/2021-10-31/functions/opened/url?Qualifier=current").json()
    assert configuration["Cors"] == {
        "AllowOrigins": [f"http://127.0.0.1:{page_port}"], "AllowMethods": ["GET", "PUT"], "AllowHeaders": ["X-Token"],
        "ExposeHeaders": ["X-Kind"], "MaxAge": 60}


def test_an_allowed_name_is_served_by_both_ports(host):
    for address, path in [(host.agent, "/metrics"), (host.host, "/2015-03-31/functions")]:
        assert request(address, "GET", path, headers={"Host": f"kelvin.test:{port_of(address)}"}).status == 200
        assert request(address, "GET", path, headers={"Host": "other.test"}).status == 403
