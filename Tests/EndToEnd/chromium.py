"""A headless Chromium with a fresh profile, driven over its DevTools protocol. Needs only Python itself."""
import base64
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Nothing but the page may reach out: no updates, no account, no look-ups.
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-default-apps", "--no-default-browser-check", "--password-store=basic", "--use-mock-keychain",
    "--hide-scrollbars", "--force-color-profile=srgb",
)


def find_program():
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class WebSocket:
    """As much of RFC 6455 as a client of one local server takes: text frames, masked, whole."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self.received = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.received:
            self.read_more()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        assert b" 101 " in head.split(b"\r\n")[0], head

    def read_more(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionError("the browser closed the connection")
        self.received += piece

    def send(self, text):
        payload, mask = text.encode(), os.urandom(4)
        if len(payload) < 126:
            head = struct.pack("!BB", 0x81, 0x80 | len(payload))
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, len(payload))
        self.socket.sendall(head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload)))

    def frame(self):
        """First byte and payload of a frame that has arrived whole, or None."""
        if len(self.received) < 2:
            return None
        first, short = self.received[0], self.received[1] & 0x7F
        extra = {126: 2, 127: 8}.get(short, 0)
        if len(self.received) < 2 + extra:
            return None
        length = int.from_bytes(self.received[2:2 + extra], "big") if extra else short
        end = 2 + extra + length
        if len(self.received) < end:
            return None
        payload, self.received = self.received[2 + extra:end], self.received[end:]
        return first, payload

    def receive(self, seconds):
        """The next message, or None if there is none within that time."""
        deadline = time.monotonic() + seconds
        message = b""
        while True:
            frame = self.frame()
            if frame is None:
                self.socket.settimeout(max(0.001, deadline - time.monotonic()))
                try:
                    self.read_more()
                except TimeoutError:
                    return None
                continue
            first, payload = frame
            if first & 0x0F in (0, 1):
                message += payload
                if first & 0x80:
                    return message.decode()

    def close(self):
        self.socket.close()


class Browser:
    """One Chromium with one page; what goes wrong in it is kept."""

    def __init__(self, width=1280, height=900, flags=()):
        program = find_program()
        assert program, "Chromium is not installed: scripts/install-packages test"
        self.profile = tempfile.mkdtemp(prefix="kelvin-chromium-")
        self.process = subprocess.Popen(
            [program, *FLAGS, *flags, f"--user-data-dir={self.profile}", "--remote-debugging-port=0",
             f"--window-size={width},{height}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.numbers = itertools.count(1)
        self.problems, self.requests, self.replies = [], [], {}
        try:
            self.connect()
        except BaseException:
            self.stop()
            raise

    def connect(self):
        port_file = Path(self.profile) / "DevToolsActivePort"
        wait(lambda: port_file.exists() and port_file.read_text().count("\n") >= 1, 60, "Chromium starts")
        port = int(port_file.read_text().split("\n")[0])

        def page():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/json/list")
                pages = json.loads(connection.getresponse().read())
            finally:
                connection.close()
            return next((each for each in pages if each["type"] == "page"), None)

        self.socket = WebSocket(wait(page, 30, "a page is open")["webSocketDebuggerUrl"])
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def stop(self):
        """Ends it and removes its profile."""
        if hasattr(self, "socket"):
            self.socket.close()
        # A session of its own: its helpers are in its process group.
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def call(self, method, **parameters):
        """Asks the browser for something; its answer."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        deadline = time.monotonic() + 60
        while number not in self.replies:
            assert time.monotonic() < deadline, f"{method} is not answered"
            self.listen(1)
        reply = self.replies.pop(number)
        assert "error" not in reply, f"{method}: {reply.get('error')}"
        return reply["result"]

    def listen(self, seconds):
        """Takes what the browser says next, if it does within that time."""
        text = self.socket.receive(seconds)
        if text is None:
            return
        message = json.loads(text)
        if "id" in message:
            self.replies[message["id"]] = message
            return
        method, details = message["method"], message["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(details["exceptionDetails"].get("exception", {}).get("description", str(details)))
        elif method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning", "assert"):
            self.problems.append(f"console: {details['args']}")
        elif method == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{details['entry']['text']} {details['entry'].get('url', '')}")

    # What a person does

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'", 30)

    def evaluate(self, expression):
        """The value of an expression of JavaScript; promises are awaited."""
        reply = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, f"{expression}: {reply['exceptionDetails']}"
        return reply["result"].get("value")

    def wait_for(self, expression, seconds=20, what=None):
        """Asks until the expression is something, and returns it."""
        return wait(lambda: self.evaluate(expression), seconds, what or expression)

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")

    def click(self, selector):
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key, text=None, **options):
        """A key by its name, such as Tab or Enter."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27}
        event = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, 0), **options}
        self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def prefer(self, scheme):
        """What the system prefers: light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def resize(self, width, height):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


def wait(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
