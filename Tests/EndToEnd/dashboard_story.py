"""A story in which everything happens that the dashboards show, on a host whose windows are short."""
import json
import time

from bursts import at_once
from kelvin_host import ORDERS, ORDERS_FOLDER, poll, python_function, request

# Longer than a scrape may be late on a busy machine, so that Prometheus misses no window.
WINDOW = 4


def functions():
    return {
        # Some of it ready before a request, some on demand, the rest refused; gives up at its timeout and may overlap.
        "orders": {
            "command": ORDERS, "directory": ORDERS_FOLDER, "memory": "0.5GB", "timeout": "1s", "onTimeout": "continue",
            "reserved": 4, "provisioned": 2},
        # On demand, ended at its timeout, and by its memory limit.
        "reports": python_function(memory=128, timeout="2s"),
        # Its warm-up fails.
        "lukewarm": python_function("lukewarm.handler"),
        # There is no such module, so that its initialization fails.
        "unwritten": python_function("unwritten.handler"),
    }


def tell(host, client):
    """Runs it; what was asked and what came of it."""
    ready = {"function": "orders", "state": "available"}
    poll(lambda: host.metrics().get("lambda_provisioned_concurrency", **ready) == 2, 60, "instances are ready")
    tell_of_sources(host, [])
    seen = {"reports at once": at_once(3, lambda _: host.invoke("reports", {"do": "sleep", "ms": 300}))}
    seen["orders at once"] = at_once(7, lambda _: host.url("orders", "/slow?ms=800"))
    late = [lambda: host.url("orders", "/stuck?ms=3000"), lambda: host.invoke("reports", {"do": "loop"})]
    seen["late"] = at_once(len(late), lambda number: late[number]())
    seen["after late"] = host.url("orders")
    poll(lambda: host.metrics()("lambda_overlapping_executions", function="orders") == 0, 20, "the late handler ends")
    seen |= {name: host.invoke(name, {}) for name in ("lukewarm", "unwritten")}
    for path in ("/error", "/crash"):
        seen[path] = host.url("orders", path)
    for event in ({"do": "error"}, {"do": "exit"}, {"do": "eat", "bytes": 400_000_000}):
        seen[event["do"]] = host.invoke("reports", event)
    change_limits(host, client)
    seen["orders again"] = at_once(3, lambda _: host.url("orders", "/slow?ms=300"))
    tell_of_sources(host, [{"counted": word} for word in COUNTERS])
    host.wait_for_closed(time.time_ns())
    return seen


COUNTERS = (
    "received", "processed", "retried", "failed", "timed-out", "dead-lettered", "delivered", "skipped", "missed", "connected", "sent")


def tell_of_sources(host, counted):
    """Something of each kind of event source, as another process tells it."""
    now = time.time_ns()
    changes = counted + [{"level": level, "value": 3} for level in ("waiting", "in-flight", "connections")]
    changes += [{"oldest": now - 5_000_000_000}]
    if counted:
        changes += [{"measured": word, "duration": 0.25} for word in ("waiting", "processing")]
    sources = {"queue": "mail.fifo", "schedule": "nightly", "websocket": "chat", "direct": "orders"}
    lines = [
        json.dumps({"event": "sourceChanged", kind: name, "time": now, "changes": changes}) + "\n" for kind, name in sources.items()]
    answer = request(host.agent, "POST", "/v1/events", "".join(lines), {"Content-Type": "application/x-ndjson"})
    assert answer.status == 200 and answer.json()["rejected"] == 0, answer


def change_limits(host, client):
    for command in (["reserved", "5"], ["provisioned", "3"]):
        answer = host.run(*command, "--function", "orders")
        assert answer.returncode == 0, (command, answer.stdout, answer.stderr)
    client.update_function_configuration(FunctionName="orders", MemorySize=640)
    client.update_function_configuration(FunctionName="reports", Timeout=3)
