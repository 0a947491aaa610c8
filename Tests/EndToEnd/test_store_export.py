"""`kelvin store export`: what Prometheus answers from its blocks is what the API answers, and the lines are the API's windows."""
import json
import subprocess

from kelvin_host import poll, python_function, request, rfc3339, NANOSECONDS
from prometheus_server import Prometheus, promtool


def test_openmetrics_with_times_and_lines_of_json(hosts, tmp_path):
    host = hosts({"reports": python_function(reserved=3), "orders": python_function()}, window="1s").start()
    for round_ in range(4):
        for name in ("reports", "orders"):
            assert host.invoke(name, {"do": "ok" if round_ else "error"}).status == 200
    last = max(rfc3339(window["end"]) for window in host.windows("orders").list)
    host.wait_for_closed(last - 1)
    poll(lambda: request(host.agent, "GET", "/api/v1/status").json()["store"]["lastCheckpoint"], 10, "a checkpoint")
    def closed(name=None):
        return [window for window in host.windows(name, range="1h", resolution="1s").list if window["closed"]]

    api = {name: closed(name) for name in ("reports", "orders")}
    account = closed()
    assert host.stop() == 0
    data = str(host.folder / "data")

    lines = host.run("store", "export", "--format", "ndjson", "--data-dir", data)
    assert lines.returncode == 0, lines
    exported = [json.loads(line) for line in lines.stdout.splitlines()]
    for name, windows in api.items():
        own = {window["start"]: window for window in exported if window.get("function") == name}
        for window in windows:
            found = own[window["start"]]
            assert (found["invocations"], found["concurrencyMax"]) == (window["invocations"], window["concurrencyMax"])

    text = host.run("store", "export", "--format", "openmetrics", "--data-dir", data)
    assert text.returncode == 0 and text.stdout.endswith("# EOF\n"), text
    (tmp_path / "windows.om").write_text(text.stdout)
    server = Prometheus(tmp_path / "prometheus", "127.0.0.1:1", interval="1h")
    storage = tmp_path / "prometheus" / "data-0"
    made = subprocess.run(
        [promtool(), "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "windows.om"), str(storage)],
        capture_output=True, text=True, check=False, timeout=120)
    assert made.returncode == 0, made
    server.start()
    try:
        def at(expression, window):
            return float(server.get(
                "/api/v1/query", query=expression, time=rfc3339(window["end"]) / NANOSECONDS)["data"]["result"][0]["value"][1])

        for name, windows in api.items():
            for window in windows:
                assert at(f'lambda_concurrent_executions_max{{function="{name}"}}', window) == window["concurrencyMax"]
            assert at(f'sum(lambda_invocations_total{{function="{name}"}})', windows[0]) == 4
            assert at(f'lambda_errors_total{{function="{name}"}}', windows[0]) == 1
        for window in account:
            assert at("lambda_account_concurrent_executions_max", window) == window["concurrencyMax"]
    finally:
        server.stop()


def test_compact_needs_the_directory_for_itself(hosts):
    host = hosts({"reports": python_function()}, window="1s").start()
    data = str(host.folder / "data")
    busy = host.run("store", "compact", "--data-dir", data)
    assert busy.returncode == 1 and "in use by another Kelvin" in busy.stderr, busy
    assert host.stop() == 0
    done = host.run("store", "compact", "--data-dir", data)
    assert done.returncode == 0 and "bytes now" in done.stdout, done
    assert host.run("store", "check", "--data-dir", data).returncode == 0
    none = host.run("store", "check", "--data-dir", str(host.folder / "nowhere"))
    assert none.returncode == 1 and "There is no store in" in none.stderr, none
