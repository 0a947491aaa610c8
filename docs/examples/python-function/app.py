"""A report that does what its event says: {"do": "ok|error|exit|loop|sleep", "ms": 100}."""
import os
import time

# What is loaded here is loaded before the first event: part of the initialization, not of an invocation.
STARTED = time.time()


class ReportError(Exception):
    """The report cannot be made."""


def handler(event, context):
    what = event.get("do", "ok")
    if what == "error":
        raise ReportError("there is nothing to report")
    if what == "exit":
        os._exit(3)
    if what == "loop":
        while True:
            pass
    if what == "sleep":
        time.sleep(min(float(event.get("ms", 100)), 900_000) / 1000)
    elif what != "ok":
        raise ValueError(f'"do" is ok, error, exit, loop or sleep, not "{what}"')
    return {
        "did": what,
        "requestId": context.aws_request_id,
        "remainingMilliseconds": context.get_remaining_time_in_millis(),
        "secondsSinceStart": round(time.time() - STARTED, 3),
    }
