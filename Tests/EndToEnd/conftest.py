"""What all tests share: the binary, hosts that are ended whatever happens, and clients."""
import os
import signal

import boto3
import pytest
from botocore.config import Config

from kelvin_host import ORDERS_FILE, KelvinHost, kelvin_binary


def end(number, _):
    """As after Ctrl-C: what the fixtures have started is ended before this process is."""
    signal.signal(number, signal.SIG_IGN)
    pytest.exit(f"ended by {signal.Signals(number).name}", returncode=128 + number)


def pytest_configure(config):
    signal.signal(signal.SIGTERM, end)
    config.addinivalue_line("markers", "root: needs root's rights; an ordinary user passes it over")
    config.addinivalue_line("markers", "waits: waits most of the time for windows to pass, so it may run beside the others")
    config.addinivalue_line("markers", "both: root and an ordinary user get something different here, so it is run as both")


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("root"):
                item.add_marker(pytest.mark.skip(reason="needs root's rights"))


@pytest.fixture(scope="session")
def kelvin():
    binary = kelvin_binary()
    assert binary.exists(), f"{binary} is not there; build it with: swift build"
    assert ORDERS_FILE.exists(), f"{ORDERS_FILE} is not there; build it with: scripts/build-examples"
    return binary


@pytest.fixture(scope="module")
def hosts(kelvin, tmp_path_factory):
    """Makes hosts; those that still run at the end of the module are stopped, and must leave nothing behind."""
    made = []

    def make(functions, **settings):
        host = KelvinHost(kelvin, tmp_path_factory.mktemp("host"), functions, **settings)
        made.append(host)
        return host

    yield make
    problems = []
    for host in made:
        try:
            code = host.stop()
            assert code in (None, 0), f"the host ended with {code}: {host.said()}"
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, problems


@pytest.fixture(scope="session")
def client():
    """A boto3 client of a host, with retries off; every throttle is seen."""
    def make(host):
        return boto3.client(
            "lambda", endpoint_url=f"http://{host.host}", region_name="eu-central-1", aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(
                retries={"max_attempts": 0}, read_timeout=900, connect_timeout=10, max_pool_connections=50),
        )

    return make
