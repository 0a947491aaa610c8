"""A function for awslambdaric that takes what an instance may not have: {"do": "…"}."""
import os
import time

KEPT = []


def fill(path, megabytes):
    """Writes until the disk is full or that much is written; returns the error and what was written."""
    written = 0
    try:
        with open(path, "wb", buffering=0) as file:
            while written < megabytes << 20:
                written += file.write(b"x" * (1 << 20))
    except OSError as error:
        return error.errno, written
    return 0, written


def leave_children(seconds):
    """Children that make sessions of their own, and ignore what they are told."""
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(seconds)
            os._exit(0)


def handler(event, context):
    query = event.get("queryStringParameters") or {} if "requestContext" in event else event
    what = query.get("do", "ok")
    if what == "memory":
        while True:
            KEPT.append(bytearray(1 << 20))
    if what == "fill":
        folder = os.environ.get("TMPDIR", "/tmp")
        number, written = fill(f"{folder}/full", int(query["megabytes"]))
        if query.get("keep") != "yes":
            os.remove(f"{folder}/full")
        return {"errno": number, "written": written}
    if what == "fork":
        leave_children(float(query.get("seconds", 3600)))
    if what == "remember":
        with open(os.environ.get("TMPDIR", "/tmp") + "/count", "a+", encoding="ascii") as file:
            file.write("x")
            file.seek(0)
            return {"count": len(file.read())}
    if what == "environment":
        descriptors = sorted(os.readlink(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")
                             if os.path.exists(f"/proc/self/fd/{name}"))
        return {"variables": dict(os.environ), "descriptors": descriptors}
    if what == "exit":
        os._exit(3)
    if what == "output":
        for _ in range(int(query.get("lines", 20_000))):
            print("x" * 1000)
    if what == "sleep":
        time.sleep(float(query["ms"]) / 1000)
    if what == "loop":
        while True:
            pass
    return {"did": what, "instance": context.log_stream_name}
