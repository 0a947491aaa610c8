"""`kelvin metrics lambda --output prometheus`: what a scrape has, from an agent and out of a store."""
import subprocess

import pytest

from kelvin_host import Metrics, poll, python_function
from prometheus_server import promtool

COMMAND = ("metrics", "lambda", "--output", "prometheus")


@pytest.fixture(scope="module")
def host(hosts):
    host = hosts({"orders": python_function(reserved=1), "reports": python_function()}, window="60s").start()
    for function, count in (("orders", 2), ("reports", 3)):
        for _ in range(count):
            assert host.invoke(function, {}).status == 200
    assert host.invoke("orders", {"do": "error"}).status == 200
    return host


def printed(host, *arguments):
    result = host.run(*COMMAND, *arguments)
    assert (result.returncode, result.stderr) == (0, "")
    checked = subprocess.run(
        [promtool(), "check", "metrics"], input=result.stdout, capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    return Metrics(result.stdout).values


def scraped(host):
    return {key: value for key, value in host.metrics().values.items() if key[0].startswith("lambda_")}


def of(function, values):
    return {key: value for key, value in values.items() if ("function", function) in key[1]}


def test_it_is_what_a_scrape_has_of_functions(host):
    # The gauges of the last window change when it closes; then once more.
    poll(lambda: printed(host) == scraped(host), 20, "they are the same")


def test_one_function_alone(host):
    poll(lambda: printed(host, "--function", "orders") == of("orders", scraped(host)), 20, "they are the same")
    values = printed(host, "--function", "orders:$LATEST")
    assert values[("lambda_errors_total", frozenset({("function", "orders")}))] == 1
    missing = host.run(*COMMAND, "--function", "missing")
    assert (missing.returncode, missing.stdout) == (64, "")
    assert missing.stderr.startswith(f"kelvin: There is no function missing at http://{host.agent}. ")


def test_counters_and_histograms_out_of_a_store(host):
    """While an agent has it, and when none has."""
    folder = host.folder / "data"
    expected = {key: value for key, value in scraped(host).items()
                if key[0].endswith(("_total", "_bucket", "_count", "_sum"))}
    assert len(expected) > 100

    def stored():
        result = host.run(*COMMAND, "--data-dir", folder)
        return Metrics(result.stdout).values if result.returncode == 0 else None

    poll(lambda: stored() == expected, 20, "the last checkpoint has all")
    assert of("orders", printed(host, "--data-dir", folder, "--function", "orders")) == of("orders", expected)
    host.stop()
    after = printed(host, "--data-dir", folder)
    # The instances ended with their host, which counts their stops and how long they lived.
    same = [key for key in expected if not key[0].startswith(("lambda_instance_stops", "lambda_instance_lifetime"))]
    assert {key: after[key] for key in same} == {key: expected[key] for key in same}
    nothing = host.run(*COMMAND, "--data-dir", host.folder)
    assert nothing.returncode == 1
    assert "there is no store" in nothing.stderr.lower()
