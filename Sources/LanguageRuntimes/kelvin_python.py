"""Kelvin's runtime for functions in Python: loads a module, warms it up, and serves its handler. Needs Python 3.8 or newer, and no packages.

    python3 kelvin_python.py [--on-timeout=continue] [--abort-signal=SIGUSR2] app.handler
"""
import asyncio
import base64
import contextvars
import datetime
import decimal
import http.client
import importlib
import inspect
import json
import logging
import math
import os
import re
import signal
import socket
import sys
import threading
import time
import traceback

API = "/2018-06-01/runtime"
ADDRESS = os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
HERE = os.path.abspath(__file__)
CURRENT = contextvars.ContextVar("invocation", default=None)


class RuntimeFault(Exception):
    """An error of AWS's names, or of ours beside them."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind, self.message, self.trace = f"Runtime.{kind}", message, trace or []


# ------------------------------------------------------------------------------------------------------ the Runtime API


class Connection(http.client.HTTPConnection):
    """One connection to the host; an event may be long in coming."""

    def __init__(self):
        super().__init__(ADDRESS, timeout=None)

    def connect(self):
        super().connect()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method, path, body=b"", headers=None):
        for attempt in (1, 2):
            try:
                self.request(method, path, body, headers or {})
                reply = self.getresponse()
                return reply.status, reply.headers, reply.read()
            except (http.client.RemoteDisconnected, BrokenPipeError):
                # A connection that was kept, and that the host has closed meanwhile.
                self.close()
                if attempt == 2:
                    raise


def invocation_path(event, what):
    return f"{API}/invocation/{event.id}/{what}"


def attempt_header(event):
    """What answers are marked with, so that none is taken for the answer of another attempt."""
    return {"Lambda-Runtime-Invocation-Id": event.attempt} if event.attempt else {}


def parsed_field(text):
    """The JSON in a header field, which a caller may have sent; None for what cannot be read."""
    try:
        # http.client reads header fields as Latin-1; the host sends UTF-8.
        return json.loads(text.encode("latin-1").decode("utf-8")) if text else None
    except (ValueError, RecursionError):
        return None


class Event:
    """What the host gives a function."""

    def __init__(self, headers, body):
        self.id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.attempt = headers.get("Lambda-Runtime-Invocation-Id")
        self.deadline = int(headers.get("Lambda-Runtime-Deadline-Ms") or 0)
        self.arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.trace = headers.get("Lambda-Runtime-Trace-Id")
        self.tenant = headers.get("Lambda-Runtime-Aws-Tenant-Id")
        self.client_context = parsed_field(headers.get("Lambda-Runtime-Client-Context"))
        self.identity = parsed_field(headers.get("Lambda-Runtime-Cognito-Identity"))
        self.body = body


# --------------------------------------------------------------------------------------------------------------- context


class Members:
    """An object whose members are those of a dictionary; others are None."""

    def __init__(self, names, values):
        for name in names:
            setattr(self, name, values.get(name) if isinstance(values, dict) else None)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in vars(self).items())})"


class CognitoIdentity(Members):
    pass


class Client(Members):
    pass


class ClientContext(Members):
    pass


class LambdaContext:
    """What a handler is told beside its event. `abort` is set when its time is over, and when the instance ends."""

    def __init__(self, event):
        environment = os.environ.get
        self.aws_request_id = event.id
        self.log_group_name = environment("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environment("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environment("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environment("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environment("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = event.arn
        self.tenant_id = event.tenant
        self.client_context = None
        if event.client_context:
            self.client_context = ClientContext(("custom", "env", "client"), event.client_context)
            if self.client_context.client is not None:
                self.client_context.client = Client(
                    ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"),
                    self.client_context.client)
        identity = event.identity or {}
        self.identity = CognitoIdentity(("cognito_identity_id", "cognito_identity_pool_id"), {
            "cognito_identity_id": identity.get("cognitoIdentityId"),
            "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId")})
        self.abort = threading.Event()
        self._deadline = event.deadline

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return f"LambdaContext([{','.join(f'{name}={value}' for name, value in vars(self).items() if name[0] != '_')}])"


# ------------------------------------------------------------------------------------------------------ answers and errors


def encode(value):
    if isinstance(value, decimal.Decimal):
        return float("nan") if value.is_nan() else int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def to_json(value):
    try:
        return json.dumps(value, default=encode, ensure_ascii=False).encode()
    except (TypeError, ValueError, UnicodeEncodeError) as error:
        raise RuntimeFault("MarshalError", f"Unable to marshal response: {error}")


def error_document(error, request=""):
    """The document that a caller is given."""
    if isinstance(error, RuntimeFault):
        kind, message, trace = error.kind, error.message, error.trace
    else:
        frames = traceback.extract_tb(error.__traceback__)
        # What is ours of the way to the error says nothing.
        own = next((index for index, frame in enumerate(frames) if not is_own(frame.filename)), len(frames))
        kind, message, trace = type(error).__name__, text_of(error), traceback.format_list(frames[own:])
    return {"errorMessage": message, "errorType": kind, "requestId": request, "stackTrace": trace}


def is_own(filename):
    return os.path.abspath(filename) == HERE or filename.startswith("<frozen importlib") or "/importlib/" in filename


def text_of(error):
    try:
        return str(error)
    except Exception as other:  # A class of the function's own may do anything.
        return f"<no text: {type(other).__name__}>"


def error_headers(error):
    kind = error.kind if isinstance(error, RuntimeFault) else f"Function.{type(error).__name__}"
    if not re.fullmatch(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", kind):
        kind = "Function.Unknown"
    return {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": kind}


# ------------------------------------------------------------------------------------------------------------------- log

IS_JSON_LOG = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


class LogFormatter(logging.Formatter):
    """One line for each record, as AWS writes them."""

    def format(self, record):
        invocation = CURRENT.get()
        request = invocation.event.id if invocation else ""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        stamp = f"{moment}.{int(record.msecs):03d}Z"
        if not IS_JSON_LOG:
            text = super().format(record)
            return f"[{record.levelname}]\t{stamp}\t{request}\t{text}".replace("\n", "\r")
        line = {"timestamp": stamp, "level": record.levelname, "message": record.getMessage(), "logger": record.name}
        if request:
            line["requestId"] = request
        if record.exc_info and record.exc_info[0]:
            line["errorType"] = record.exc_info[0].__name__
            line["stackTrace"] = self.formatException(record.exc_info).split("\n")
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_output():
    for stream in (sys.stdout, sys.stderr):
        # A lone surrogate in what a handler prints is no reason to end.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True, write_through=True)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LogFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
    if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        root.setLevel(level)


def log_error(document):
    if IS_JSON_LOG:
        stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return print(json.dumps({"timestamp": stamp, "level": "ERROR", **document}, ensure_ascii=False), flush=True)
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}", "Traceback (most recent call last):"]
    for entry in document["stackTrace"]:
        lines += [re.sub("^ +", lambda blanks: "\u00a0" * len(blanks[0]), line) for line in entry.splitlines()]
    # A carriage return keeps them one record.
    print("\r".join(lines).replace("\n", "\r"), flush=True)


# ------------------------------------------------------------------------------------------------------------ the module


def load_module(name):
    try:
        if name.split(".")[0] in sys.builtin_module_names:
            raise RuntimeFault("BuiltInModuleConflict", f"Cannot use built-in module {name} as a handler module")
        return importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise RuntimeFault("ImportModuleError", f"Unable to import module '{name}': {error}")
    except SyntaxError as error:
        raise RuntimeFault(
            "UserCodeSyntaxError", f"Syntax error in module '{name}': {error}",
            [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'])


def split_handler(text):
    module, dot, name = text.rpartition(".")
    if not dot or not module or not name:
        raise RuntimeFault("MalformedHandlerName", f"Bad handler '{text}': write module.function, such as app.handler")
    return module, name


def handler_of(module, name, text):
    handler = getattr(module, name, None)
    if handler is None:
        raise RuntimeFault("HandlerNotFound", f"Handler '{name}' missing on module '{text.rpartition('.')[0]}'")
    if not callable(handler):
        raise RuntimeFault("HandlerNotFound", f"Handler '{name}' of module '{text.rpartition('.')[0]}' is not callable")
    return handler


# ----------------------------------------------------------------------------------------------------- config and warm-up


def invalid(name, value, advice):
    return RuntimeFault("InvalidConfiguration", f"config {name} is {value!r}: {advice}.")


def memory_bytes(value):
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(MB|GB)?", str(value)) if not isinstance(value, bool) else None
    count = int(float(match[1]) * (1 << 30 if match[2] == "GB" else 1 << 20)) if match else 0
    if not 128 << 20 <= count <= 10 << 30:
        raise invalid("memory", value, 'write 512, "512MB" or "0.5GB", from 128MB to 10GB')
    return count


def timeout_nanoseconds(value):
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m)?", str(value)) if not isinstance(value, bool) else None
    seconds = float(match[1]) * {"ms": 0.001, "s": 1, "m": 60}[match[2] or "s"] if match else 0
    if not 0 < seconds <= 900:
        raise invalid("timeout", value, 'write a number of seconds, "10s" or "500ms", up to 900 seconds')
    return round(seconds * 1e9)


def concurrency(name):
    def check(value):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100_000:
            raise invalid(name, value, "write a whole number from 0 to 100000")
        return value
    return check


CONFIG = {
    "memory": ("memoryBytes", memory_bytes), "timeout": ("timeoutNanoseconds", timeout_nanoseconds),
    "reserved": ("reserved", concurrency("reserved")), "provisioned": ("provisioned", concurrency("provisioned")),
}


def tell_config(module, connection):
    config = getattr(module, "config", None)
    # A module or a function of this name is something else.
    if config is None or inspect.ismodule(config) or callable(config):
        return
    if not isinstance(config, dict):
        raise RuntimeFault(
            "InvalidConfiguration", f'config is {config!r}: make it a dictionary, such as {{"memory": "512MB", "timeout": 10}}.')
    told = {}
    for name, value in config.items():
        if name not in CONFIG:
            raise RuntimeFault("InvalidConfiguration", f"config {name!r} is not known: config takes {', '.join(CONFIG)}.")
        if value is not None:
            told[CONFIG[name][0]] = CONFIG[name][1](value)
    status, _, body = connection.ask("PUT", "/kelvin/v1/configuration", json.dumps(told).encode())
    if status >= 300:
        raise RuntimeFault("InvalidConfiguration", json.loads(body)["errorMessage"])


def warm_up(module, connection):
    hook = getattr(module, "warmup", None)
    if hook is None:
        return
    if not callable(hook):
        raise RuntimeFault("InvalidWarmUp", f"warmup is {hook!r}: make it a function, or name it otherwise.")
    start, failure = time.monotonic_ns(), None
    try:
        result = hook()
        if inspect.isawaitable(result):
            LOOP.run(result)
    except Exception as error:
        failure = f"{type(error).__name__}: {text_of(error)}"
        print(f"The warm-up failed; the instance serves anyway. {failure}", flush=True)
        log_error(error_document(error))
    report = {"durationNanoseconds": time.monotonic_ns() - start, "error": failure}
    connection.ask("PUT", "/kelvin/v1/warmup", json.dumps(report).encode())


def leave(end):
    """Ends the process as sys.exit() in its first thread does."""
    sys.stdout.flush()
    os._exit(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)


class BackgroundLoop:
    """The one event loop of all that is asynchronous: what a warm-up opened, handlers use. Runs in a thread from its first use on."""

    def __init__(self):
        self.loop = None
        self.lock = threading.Lock()

    def serve(self):
        try:
            self.loop.run_forever()
        except SystemExit as end:
            leave(end)

    def run(self, awaitable):
        async def wait():
            return await awaitable

        with self.lock:
            if self.loop is None:
                self.loop = asyncio.new_event_loop()
                threading.Thread(target=self.serve, name="kelvin-asyncio", daemon=True).start()
        context = contextvars.copy_context()
        done = threading.Event()
        made = []

        def start():
            made.append(self.loop.create_task(wait()))
            made[0].add_done_callback(lambda _: done.set())

        self.loop.call_soon_threadsafe(start, context=context)
        done.wait()
        return made[0].result()


LOOP = BackgroundLoop()


# --------------------------------------------------------------------------------------------------------------- streams


class Stream:
    """An answer that is sent piece by piece: what a handler yields. A dictionary before everything else is status and header fields."""

    def __init__(self, event):
        self.event, self.connection, self.socket = event, None, None

    def open(self, content_type):
        self.connection = Connection()
        self.connection.putrequest("POST", invocation_path(self.event, "response"), skip_accept_encoding=True)
        for name, value in {
            "Content-Type": content_type, "Lambda-Runtime-Function-Response-Mode": "streaming",
            "Transfer-Encoding": "chunked",
            "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
            **attempt_header(self.event),
        }.items():
            self.connection.putheader(name, value)
        self.connection.endheaders()

    @property
    def has_begun(self):
        return self.connection is not None

    def send(self, piece):
        if isinstance(piece, dict):
            if self.has_begun:
                raise RuntimeFault("MarshalError", "Status and headers were yielded after the beginning of the body")
            prelude = to_json(piece)
            self.open("application/vnd.awslambda.http-integration-response")
            return self.write(prelude + bytes(8))
        if isinstance(piece, str):
            content_type, piece = "text/plain; charset=utf-8", piece.encode()
        elif isinstance(piece, (bytes, bytearray, memoryview)):
            content_type, piece = "application/octet-stream", bytes(piece)
        else:
            raise RuntimeFault("MarshalError", f"A handler may yield bytes and str, but not {type(piece).__name__}")
        if not self.has_begun:
            self.open(content_type)
        self.write(piece)

    def write(self, piece):
        if piece:
            # Blocks for as long as the caller takes less.
            self.connection.send(b"%x\r\n" % len(piece))
            self.connection.send(piece)
            self.connection.send(b"\r\n")

    def end(self, error=None):
        if not self.has_begun:
            self.open("application/octet-stream")
        end = b"0\r\n"
        if error is not None:
            document = base64.b64encode(json.dumps(error_document(error, self.event.id)).encode())
            kind = error_headers(error)["Lambda-Runtime-Function-Error-Type"].encode()
            end += b"Lambda-Runtime-Function-Error-Type: " + kind + b"\r\n"
            end += b"Lambda-Runtime-Function-Error-Body: " + document + b"\r\n"
        self.connection.send(end + b"\r\n")
        self.connection.getresponse().read()
        self.connection.close()


# ----------------------------------------------------------------------------------------------------------- invocations


class Invocation:
    """One attempt at an event, from its arrival until its answer is sent."""

    def __init__(self, event):
        self.event, self.context = event, LambdaContext(event)
        # Its time is over; and the host has been told so, or is being told.
        self.is_late = self.is_overdue = False
        self.stream = Stream(event)
        self.lock = threading.Lock()
        self.done = threading.Event()
        self.is_told = threading.Event()

    def run(self, handler, connection):
        """Runs the handler and sends its answer, unless its time was over before."""
        CURRENT.set(self)
        try:
            self.answer(handler, connection)
        except (Exception, asyncio.CancelledError) as error:
            self.fail(error, connection)

    def answer(self, handler, connection):
        try:
            event = json.loads(self.event.body)
        except ValueError as error:
            raise RuntimeFault("UnmarshalError", f"Unable to unmarshal input: {error}")
        result = handler(event, self.context)
        if inspect.isasyncgen(result):
            while True:
                try:
                    piece = LOOP.run(result.__anext__())
                except StopAsyncIteration:
                    return self.end_stream()
                self.send(piece)
        if inspect.isawaitable(result):
            result = LOOP.run(result)
        if inspect.isgenerator(result):
            for piece in result:
                self.send(piece)
            return self.end_stream()
        body = to_json(result)
        if self.begin_answer():
            connection.ask(
                "POST", invocation_path(self.event, "response"), body,
                {"Content-Type": "application/json", **attempt_header(self.event)})

    def begin_answer(self):
        """Whether the answer is still the handler's to give."""
        with self.lock:
            return not self.is_overdue

    def send(self, piece):
        with self.lock:
            if self.is_overdue:
                raise RuntimeFault("HandlerTimeout", "The handler yielded after its time was over")
            self.stream.send(piece)

    def end_stream(self):
        with self.lock:
            if not self.is_overdue:
                self.stream.end()

    def fail(self, error, connection):
        document = error_document(error, self.event.id)
        log_error(document)
        if self.is_late and not self.is_overdue:
            # Its caller is told of the timeout by the host, and not of what a handler makes of its abort.
            threading.Event().wait()
        with self.lock:
            if self.is_overdue:
                return
            if self.stream.has_begun:
                try:
                    self.stream.end(error)
                except (OSError, http.client.HTTPException):
                    pass  # The host has ended the stream before.
                return
        connection.ask(
            "POST", invocation_path(self.event, "error"), json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"),
            {**error_headers(error), **attempt_header(self.event)})

    def give_up(self):
        """The time is over, and the instance goes on: whether the host is to be told so."""
        with self.lock:
            self.is_overdue = not self.stream.has_begun
            return self.is_overdue


class Watch:
    """Sets the abort event of the invocation that runs, a little before the host's deadline."""

    def __init__(self):
        self.condition = threading.Condition()
        self.invocation = None
        threading.Thread(target=self.run, name="kelvin-watch", daemon=True).start()

    def follow(self, invocation):
        with self.condition:
            self.invocation = invocation
            if invocation is not None:
                self.condition.notify()

    def run(self):
        with self.condition:
            while True:
                invocation = self.invocation
                left = None if invocation is None or invocation.context.abort.is_set() else time_left(invocation.event)
                if left is not None and left <= 0:
                    invocation.is_late = True
                    invocation.context.abort.set()
                else:
                    self.condition.wait(left)


def time_left(event):
    """The seconds until the abort: a little before the host's deadline, so that the handler has a moment."""
    left = max(0.0, event.deadline / 1000 - time.time())
    return left - min(0.01, left / 10) if left > 0.0005 else 0.0


class Runtime:
    """The loop of a process: one event after the other."""

    def __init__(self, goes_on):
        self.goes_on = goes_on
        self.connection = Connection()
        self.running = []
        self.is_stopping = False
        self.watch = None if goes_on else Watch()

    def abort_all(self, *_):
        for invocation in list(self.running):
            invocation.context.abort.set()

    def stop(self, *_):
        self.is_stopping = True
        self.abort_all()
        if not self.running:
            os._exit(0)

    def next(self):
        status, headers, body = self.connection.ask("GET", f"{API}/invocation/next")
        if status != 200:
            raise SystemExit(f"The host answered {status} to the call for the next event.")
        event = Event(headers, body)
        if event.trace:
            os.environ["_X_AMZN_TRACE_ID"] = event.trace
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        return Invocation(event)

    def serve(self, handler):
        while not (self.is_stopping and not self.running):
            invocation = self.next()
            self.running.append(invocation)
            if self.goes_on:
                self.serve_beside(handler, invocation)
            else:
                self.watch.follow(invocation)
                contextvars.copy_context().run(invocation.run, handler, self.connection)
                self.watch.follow(None)
                self.running.remove(invocation)

    def serve_beside(self, handler, invocation):
        """The handler has a thread of its own, which may go on beside the next invocation."""
        answering = Connection()

        def work():
            try:
                invocation.run(handler, answering)
            except SystemExit as end:
                leave(end)
            except BaseException as error:
                print(f"kelvin-python: {error!r}", file=sys.stderr, flush=True)
                if not invocation.is_overdue:
                    # Nothing was answered: to ask for the next event would run the handler again.
                    os._exit(1)
            finally:
                invocation.done.set()
                self.running.remove(invocation)
                if invocation.is_overdue:
                    # Not before the host knows that there is an overlap.
                    invocation.is_told.wait()
                    self.overlap_ended(invocation)
                answering.close()

        threading.Thread(target=work, name=f"kelvin-{invocation.event.id}", daemon=True).start()
        if invocation.done.wait(time_left(invocation.event)):
            return
        # Before the handler can see it: what it makes of it is not for its caller.
        is_told = invocation.give_up()
        invocation.is_late = True
        invocation.context.abort.set()
        if not is_told:
            # What has begun is cut off by the host.
            invocation.done.wait()
            return
        event = invocation.event
        document = {
            "errorMessage": f"{event.id} The handler exceeded its time limit and was told to give up.",
            "errorType": "Function.HandlerTimeout", "requestId": event.id, "stackTrace": []}
        self.connection.ask(
            "POST", invocation_path(event, "error"), json.dumps(document).encode(),
            {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": "Function.HandlerTimeout",
             **attempt_header(event)})
        invocation.is_told.set()

    def overlap_ended(self, invocation):
        try:
            Connection().ask(
                "PUT", f"/kelvin/v1/overlap-ended/{invocation.event.id}", b"", attempt_header(invocation.event))
        except (OSError, http.client.HTTPException) as error:
            print(f"kelvin-python: {error}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------------------ main


def initialize(text, connection):
    module_name, name = split_handler(text)
    module = load_module(module_name)
    handler_of(module, name, text)
    tell_config(module, connection)
    warm_up(module, connection)
    # A warm-up may have put another in its place.
    return handler_of(module, name, text)


def main():
    options, text = sys.argv[1:-1], sys.argv[-1]
    option = {word.partition("=")[0]: word.partition("=")[2] for word in options}
    # What a module sees is what it would see if it were the program.
    sys.argv = [text]
    sys.path[0] = os.environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    set_up_output()
    runtime = Runtime(option.get("--on-timeout") == "continue")
    signal.signal(signal.SIGTERM, runtime.stop)
    if option.get("--abort-signal", "SIGTERM") != "SIGTERM":
        signal.signal(getattr(signal, option["--abort-signal"]), runtime.abort_all)
    try:
        handler = initialize(text, runtime.connection)
    except Exception as error:
        document = error_document(error)
        log_error(document)
        Connection().ask("POST", f"{API}/init/error", json.dumps(document).encode("utf-8", "replace"), error_headers(error))
        sys.exit(1)
    runtime.serve(handler)


if __name__ == "__main__":
    main()
