"""A function for the host's tests: a small client of the Runtime API that does what each event tells it to."""

import ctypes
import errno
import http.client
import json
import os
import signal
import socket
import sys
import threading
import time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
BASE = "/2018-06-01/runtime"
# Process ids are no identity: each instance may count its own.
INSTANCE = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
local = threading.local()


def connection():
    if not hasattr(local, "connection"):
        host, port = API.split(":")
        local.connection = http.client.HTTPConnection(host, int(port))
    return local.connection


def call(method, path, body=None, headers=None):
    """Returns status, headers and body."""
    for attempt in (1, 2):
        try:
            connection().request(method, path, body=body, headers=headers or {})
            answer = connection().getresponse()
            return answer.status, answer.headers, answer.read()
        except (http.client.HTTPException, ConnectionError):
            connection().close()
            del local.connection
            if attempt == 2:
                raise


def next_event():
    status, headers, body = call("GET", BASE + "/invocation/next")
    if status != 200:
        sys.exit(1)
    return headers, json.loads(body)


def respond(request, result):
    return call("POST", f"{BASE}/invocation/{request}/response", json.dumps(result).encode())[0]


def report(request, message, error_type, function_error_type=None):
    headers = {"Lambda-Runtime-Function-Error-Type": function_error_type} if function_error_type else {}
    document = {"errorMessage": message, "errorType": error_type, "stackTrace": ["here"]}
    return call("POST", f"{BASE}/invocation/{request}/error", json.dumps(document).encode(), headers)[0]


noted = []


def note(text):
    """Leaves a text in the temporary files. Returns what was there."""
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "note")
    before = open(path).read() if os.path.exists(path) else ""
    with open(path, "w") as file:
        file.write(text)
    noted.append(text)
    return before


def initialize():
    mode = os.environ.get("INIT", "")
    marker = os.environ.get("INIT_MARKER", "")
    if marker and os.path.exists(marker):
        return
    if marker:
        open(marker, "w").close()
    if "INIT_NOTE" in os.environ:
        note(os.environ["INIT_NOTE"])
    if mode == "error":
        document = {"errorMessage": "no module", "errorType": "Runtime.ImportModuleError", "stackTrace": []}
        call("POST", BASE + "/init/error", json.dumps(document).encode(),
             {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"})
        print("[ERROR] no module", flush=True)
        sys.exit(1)
    elif mode == "exit":
        sys.exit(7)
    elif mode == "hang":
        time.sleep(3600)
    elif mode == "slow":
        time.sleep(0.3)


def announce():
    if "WARMUP" in os.environ:
        for report in os.environ["WARMUP"].split(";"):
            inner["warm-ups"].append(warm_up(report))
    if "CONFIGURATION" in os.environ:
        call("PUT", "/kelvin/v1/configuration", os.environ["CONFIGURATION"].encode())


EXTENSION = "/2020-01-01/extension"
inner = {"refusals": [], "events": [], "warm-ups": []}


def warm_up(report):
    """What the host says to a report of a warm-up."""
    status, _, text = call("PUT", "/kelvin/v1/warmup", report.encode())
    return f"{status} {json.loads(text).get('errorType', '')}".strip()


def extension_call(method, path, body=None, headers=None):
    status, answer_headers, text = call(method, EXTENSION + path, body, headers)
    if status != 200:
        inner["refusals"].append(f"{status} {json.loads(text)['errorType']}")
    return answer_headers, text


def follow_events(identifier):
    """An internal extension: a thread of the runtime."""
    while True:
        _, text = extension_call("GET", "/event/next", headers={"Lambda-Extension-Identifier": identifier})
        inner["events"].append(json.loads(text)["eventType"])


def extend():
    name = os.environ.get("INTERNAL")
    if not name:
        return
    named = {"Lambda-Extension-Name": name}
    unknown = "00000000-0000-4000-8000-000000000001"
    extension_call("POST", "/register", b'{"events":["INVOKE","SHUTDOWN"]}', named)
    extension_call("POST", "/register", b'{"events":["INVOKE"]}')
    extension_call("POST", "/register", b'{"events":"INVOKE"}', named)
    headers, _ = extension_call("POST", "/register", b'{"events":["INVOKE"]}', named)
    inner["identifier"] = headers["Lambda-Extension-Identifier"]
    extension_call("POST", "/register", b'{"events":["INVOKE"]}', named)
    extension_call("GET", "/event/next")
    extension_call("GET", "/event/next", headers={"Lambda-Extension-Identifier": "agent"})
    extension_call("GET", "/event/next", headers={"Lambda-Extension-Identifier": unknown})
    extension_call("POST", "/exit/error", b"{}", {"Lambda-Extension-Identifier": inner["identifier"]})
    threading.Thread(target=follow_events, args=(inner["identifier"],), daemon=True).start()


def late(request, seconds):
    time.sleep(seconds)
    call("PUT", f"/kelvin/v1/overlap-ended/{request}")


def raw_connection():
    host, port = API.split(":")
    return socket.create_connection((host, int(port)))


def answer_in_part(request, closes_all):
    """Breaks off in the middle of an answer. Returns the host's answer to that, if it can be read."""
    with raw_connection() as raw:
        raw.sendall(f"POST {BASE}/invocation/{request}/response HTTP/1.1\r\nHost: x\r\n".encode()
                    + b"Content-Length: 100\r\n\r\n" + b'"' * 50)
        if closes_all:
            return None
        raw.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
        return answer.decode().replace("\r\n", "\n")


def ask_on_two_connections(old):
    """Asks for an event and leaves that to wait, asks once more on another connection, and loses the first one."""
    with raw_connection() as raw:
        raw.sendall("".join(
            f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"
            for path in ("/2018-06-01/ping", BASE + "/invocation/next")).encode())
        answer = b""
        # Once the first is answered, the host has the second, too: it read both at once.
        while b"pong" not in answer and (piece := raw.recv(65536)):
            answer += piece
        old["second"] = call("GET", BASE + "/invocation/next")[0]


def open_connections(count):
    """Opens connections to the Runtime API, as many at once as files may be open; says nothing on them."""
    opened, refused, held = 0, 0, []
    while opened < count:
        try:
            held.append(raw_connection())
            opened += 1
        except OSError:
            refused += 1
            if not held:
                break
            for one in held:
                one.close()
            held = []
    for one in held:
        one.close()
    return {"opened": opened, "refused": refused > 0}


def fork_and_exit(event):
    """Ends without an answer, and leaves two children behind that hold its output open."""
    for _ in range(2):
        if os.fork() == 0:
            with open(event["file"], "a") as file:
                file.write("a child\n")
            time.sleep(3600)
    while not os.path.exists(event["file"]) or open(event["file"]).read().count("\n") < 2:
        time.sleep(0.01)
    os._exit(3)


def pour(count):
    piece = (b"0123456789" * 100 + b"\n") * 64
    written = 0
    while written < count:
        written += os.write(1, piece)
    return written


def eat(count, seconds=0):
    """Takes memory, every page of it, and keeps it for a time."""
    taken = bytearray(count)
    taken[::4096] = b"x" * len(taken[::4096])
    time.sleep(seconds)
    return len(taken)


def fill(count):
    """Writes to /tmp until it is full, or `count` bytes are there."""
    written, piece = 0, b"x" * 2**20
    try:
        with open("/tmp/filling", "wb", buffering=0) as file:
            while written < count:
                written += file.write(piece)
    except OSError as error:
        return {"written": written, "error": errno.errorcode[error.errno]}
    finally:
        os.unlink("/tmp/filling")
    return {"written": written, "error": None}


class Aborted(Exception):
    """The host's signal to give up."""


def abort(number, frame):
    raise Aborted(number)


def abortable(request, event):
    """Works until it is told to abort; then does what the event says: answers, ends, or goes on as if nothing were."""
    signal.signal(getattr(signal, event["signal"]), abort)
    then = event["then"]
    try:
        time.sleep(3600)
    except Aborted:
        if "marker" in event:
            with open(event["marker"], "w") as file:
                file.write("aborted")
    if then == "answer":
        respond(request, "late")
    elif then == "answer and hang":
        respond(request, "late")
        time.sleep(3600)
    elif then == "end":
        os._exit(0)
    elif then == "ignore":
        while True:
            try:
                time.sleep(3600)
            except Aborted:
                pass


def handle(headers, event, old):
    request = headers["Lambda-Runtime-Aws-Request-Id"]
    if isinstance(event, dict) and "do" in event.get("queryStringParameters", {}):
        event = event["queryStringParameters"]
    action = event.get("do", "echo") if isinstance(event, dict) else "echo"
    if action == "echo":
        respond(request, event)
    elif action == "headers":
        respond(request, {name.lower(): value for name, value in headers.items()})
    elif action == "previous-headers":
        respond(request, {name.lower(): value for name, value in old["headers"].items()})
    elif action == "environment":
        respond(request, {"environment": dict(os.environ), "directory": os.getcwd(), "instance": INSTANCE})
    elif action == "sleep":
        time.sleep(event["seconds"])
        respond(request, {"slept": event["seconds"], "instance": INSTANCE})
    elif action == "print":
        print(event["text"], flush=True)
        respond(request, None)
    elif action == "long-line":
        # As EMF has it: one JSON object.
        print(json.dumps({"value": "x" * (event["bytes"] - 13)}), flush=True)
        respond(request, None)
    elif action == "note":
        before = note(event["text"] * event.get("times", 1))
        respond(request, {"before": before, "instance": INSTANCE, "count": len(noted)})
    elif action == "raise":
        report(request, "it went wrong", "ValueError")
    elif action == "exit":
        if "says" in event:
            print(event["says"], flush=True)
        os._exit(event.get("status", 0))
    elif action == "segfault":
        ctypes.string_at(0)
    elif action == "loop":
        while True:
            pass
    elif action == "big":
        status = respond(request, "x" * event["bytes"])
        old["last"] = status
    elif action == "raw":
        call("POST", f"{BASE}/invocation/{request}/response", event["text"].encode())
    elif action == "wrong-id":
        wrong = respond("00000000-0000-4000-8000-000000000001", None)
        previous = respond(old["request"], None) if "request" in old else 0
        respond(request, {"wrong": wrong, "previous": previous})
    elif action == "twice":
        respond(request, "first")
        old["last"] = respond(request, "second")
    elif action == "next-twice":
        again, same = next_event()
        respond(request, {"same": again["Lambda-Runtime-Aws-Request-Id"] == request and same == event})
    elif action == "last":
        respond(request, old.get("last"))
    elif action == "handler-timeout":
        report(request, "handler ran over", "Function.HandlerTimeout", "Function.HandlerTimeout")
        threading.Thread(target=late, args=(request, event.get("late", 0)), daemon=True).start()
    elif action == "overdue":
        threading.Thread(target=late, args=(request, event["late"]), daemon=True).start()
        time.sleep(event["seconds"])
    elif action == "truncate":
        old["last"] = answer_in_part(request, event.get("closes", False))
    elif action == "two-nexts":
        respond(request, None)
        ask_on_two_connections(old)
    elif action == "second-next":
        respond(request, old["second"])
    elif action == "connections":
        respond(request, open_connections(event["count"]))
    elif action == "fork-and-exit":
        fork_and_exit(event)
    elif action == "ignore-terminate":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        respond(request, INSTANCE)
    elif action == "eat":
        respond(request, eat(event["bytes"], event.get("seconds", 0)))
    elif action == "fill":
        respond(request, fill(event["bytes"]))
    elif action == "pour":
        respond(request, pour(event["bytes"]))
    elif action == "pour-after":
        # Its reply comes only once the host goes on.
        answering = threading.Thread(target=respond, args=(request, None))
        answering.start()
        end = time.monotonic() + 20
        while not os.path.exists(event["marker"] + ".blocked") and time.monotonic() < end:
            time.sleep(0.005)
        pour(event["bytes"])
        open(event["marker"], "w").close()
        answering.join()
    elif action == "abortable":
        abortable(request, event)
    elif action == "flaky":
        count = int(open(event["file"]).read() or "0") + 1 if os.path.exists(event["file"]) else 1
        with open(event["file"], "w") as file:
            file.write(str(count))
        if count < event["succeeds"]:
            report(request, f"attempt {count}", "Flaky")
        else:
            respond(request, count)
    elif action == "child":
        pid = os.fork()
        if pid == 0:
            time.sleep(3600)
        respond(request, {"child": pid})
    elif action == "flood":
        for number in range(event["lines"]):
            sys.stdout.write(f"{number:08d} " + "x" * 90 + "\n")
        sys.stdout.flush()
        respond(request, None)
    elif action == "subscribe":
        answers = {}
        for name, identifier, path in (
                ("missing", None, "/2022-07-01/telemetry"),
                ("unknown", "00000000-0000-4000-8000-000000000001", "/2022-07-01/telemetry"),
                ("late", inner["identifier"], "/2022-07-01/telemetry"),
                ("late logs", inner["identifier"], "/2020-08-15/logs")):
            status, _, text = call("PUT", path, b"{}", {"Lambda-Extension-Identifier": identifier} if identifier else {})
            answers[name] = f"{status} {json.loads(text)['errorType']}"
        respond(request, answers)
    elif action == "warm-up":
        respond(request, inner["warm-ups"] + [warm_up(event["report"])])
    elif action == "internal":
        extension_call("POST", "/register", b'{"events":["INVOKE"]}', {"Lambda-Extension-Name": "late"})
        while not inner["events"]:
            time.sleep(0.01)
        respond(request, {"event": inner["events"][0], "refusals": inner["refusals"]})
    elif action == "hang-after":
        respond(request, {"instance": INSTANCE})
        time.sleep(3600)
    old["request"], old["headers"] = request, headers


def main():
    initialize()
    announce()
    extend()
    old = {}
    while True:
        headers, event = next_event()
        handle(headers, event, old)


main()
