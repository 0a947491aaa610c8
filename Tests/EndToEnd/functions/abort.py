"""A function for awslambdaric that gives up when it is sent SIGUSR1, and says so in a file; with {"heed": false} it does not."""
import signal
import time


class Aborted(Exception):
    """The caller has an answer already."""


aborts = 0


def abort(number, frame):
    global aborts
    aborts += 1
    raise Aborted(signal.Signals(number).name)


signal.signal(signal.SIGUSR1, abort)


def handler(event, context):
    query = event.get("queryStringParameters") or {} if "requestContext" in event else event
    if query.get("do") != "work":
        return {"instance": context.log_stream_name, "aborts": aborts, "remaining": context.get_remaining_time_in_millis()}
    end = time.monotonic() + 600
    while time.monotonic() < end:
        try:
            time.sleep(600)
        except Aborted:
            if query.get("heed", True):
                raise
    return "nobody waits for this"
