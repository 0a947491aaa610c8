"""A function for awslambdaric that does what its event says: {"do": "…", "ms": 100}.

Called by a function URL, it takes the same from the query: ?do=sleep&ms=100.
"""
import http.client
import os
import socket
import sys
import time


class ReportError(Exception):
    """The report cannot be made."""


def handler(event, context):
    query = event.get("queryStringParameters") or {} if "requestContext" in event else event
    what = query.get("do", "ok")
    if what == "error":
        raise ReportError("there is nothing to report")
    if what == "long error":
        raise ValueError("x" * int(query["bytes"]))
    if what == "recursion":
        return handler(event, context)
    if what == "exit":
        sys.exit(int(query.get("status", 3)))
    if what == "kill":
        os.kill(os.getpid(), 9)
    if what == "loop":
        while True:
            pass
    if what == "sleep":
        time.sleep(float(query["ms"]) / 1000)
    if what == "large":
        return "x" * int(query["bytes"])
    if what == "print":
        for line in range(int(query.get("lines", 0))):
            sys.stdout.write(f"{line:08d} {'x' * 90}\n")
        print(query["text"], flush=True)
    if what == "eat":
        held = []
        for _ in range(int(query["bytes"]) // 1_000_000):
            held.append(b"x" * 1_000_000)
        return len(held)
    if what == "resolve":
        return [socket.gethostbyname(name) for name in query["names"]]
    if what == "knock":
        connection = http.client.HTTPConnection(*query["place"], timeout=10)
        connection.request("GET", query["path"])
        return connection.getresponse().status
    if what == "nothing":
        return None
    if what == "environment":
        return dict(os.environ)
    if what == "echo":
        return {
            "statusCode": int(query.get("status", 200)), "headers": {"X-Kind": "echo", "Content-Type": "text/plain"},
            "cookies": ["a=1; Path=/", "b=2"], "body": event.get("body") or "",
            "isBase64Encoded": event.get("isBase64Encoded", False),
        }
    if what == "event":
        return event
    return {
        "did": what, "requestId": context.aws_request_id, "arn": context.invoked_function_arn,
        "name": context.function_name, "memory": context.memory_limit_in_mb,
        "remaining": context.get_remaining_time_in_millis(), "instance": context.log_stream_name,
    }
