"""A function for awslambdaric that takes more processes, threads and files than it may have, within bounds: {"do": "…", "most": 3000}."""
import errno
import os
import resource
import threading
import time


def fork_many(most):
    for number in range(most):
        try:
            if os.fork() == 0:
                # A bomb: each child tries, too, and stays.
                try:
                    os.fork()
                finally:
                    time.sleep(60)
                    os._exit(0)
        except OSError as error:
            return number, error.errno
    return most, 0


def start_threads(most):
    end = threading.Event()
    threading.stack_size(65536)
    started = []
    try:
        for _ in range(most):
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        pass
    end.set()
    for thread in started:
        thread.join()
    return len(started)


def open_many(most):
    held = []
    try:
        for _ in range(most):
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return len(held), error.errno
    finally:
        for descriptor in held:
            os.close(descriptor)
    return most, 0


def handler(event, context):
    what = event.get("do")
    if what == "fork":
        count, number = fork_many(event["most"])
        return {"count": count, "errno": errno.errorcode.get(number)}
    if what == "threads":
        return {"count": start_threads(event["most"])}
    if what == "files":
        count, number = open_many(event["most"])
        return {"count": count, "errno": errno.errorcode.get(number), "limits": resource.getrlimit(resource.RLIMIT_NOFILE)}
    if what == "who":
        return {"uid": os.getuid(), "gid": os.getgid(), "pid": os.getpid(), "capabilities": capabilities()}
    return {"instance": context.log_stream_name}


def capabilities():
    with open("/proc/self/status", encoding="ascii") as status:
        return {line.split(":")[0]: int(line.split(":")[1], 16) for line in status if line.startswith("Cap")}
