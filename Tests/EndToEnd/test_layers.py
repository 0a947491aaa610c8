"""Layers: folders whose contents an instance sees at /opt, as AWS unpacks them there."""
import json
import os
import subprocess

import pytest

from kelvin_host import poll, python_function

pytestmark = pytest.mark.both

# Registers, then waits for events: the smallest extension there can be.
EXTENSION = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
id=$(curl -s -D - -o /dev/null -X POST -H "Lambda-Extension-Name: $(basename "$0")" -d '{"events":["INVOKE"]}' "$api/register" |
  tr -d '\\r' | sed -n 's/^lambda-extension-identifier: //ip')
cat /opt/helper/words
while curl -s -o /dev/null -H "Lambda-Extension-Identifier: $id" "$api/event/next"; do :; done
"""


def put(folder, name, text, mode=0o644):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    # Colons and commas mean something to overlay file systems.
    folder = tmp_path_factory.mktemp("layers")
    first, second = folder / "first: a, b", folder / "second"
    put(first, "python/greeting.py", "TEXT = 'first'\n")
    put(first, "bin/layer-tool", "#!/bin/sh\necho tool of the first\n", 0o755)
    put(first, "only-first", "first")
    put(second, "python/greeting.py", "TEXT = 'second'\n")
    put(second, "extensions/layered-extension", EXTENSION, 0o755)
    put(second, "helper/words", "the extension found its helper\n")
    return [str(first), str(second)]


@pytest.fixture(scope="module")
def host(hosts, layers):
    host = hosts({
        "both": python_function("layered.handler", layers=layers, timeout="20s"),
        "one": python_function("layered.handler", layers=layers[:1], timeout="20s", environment={"PYTHONPATH": "/nowhere"}),
        "none": python_function("layered.handler", timeout="20s"),
    })
    try:
        return host.start()
    except AssertionError:
        assert "have no mounts of their own here" in host.said()
        pytest.skip("this machine allows no mounts")


def test_later_layers_cover_earlier_ones(host):
    assert host.invoke("both", {"do": "import"}).json() == "second"
    assert host.invoke("both", {"do": "read", "path": "/opt/only-first"}).json() == "first"
    assert host.invoke("one", {"do": "import"}).json() == "first"


def test_programs_in_layers_are_found(host):
    for name in ("both", "one"):
        assert host.invoke(name, {"do": "tool"}).json() == "tool of the first\n"
    environment = host.invoke("one", {"do": "environment"}).json()
    assert environment["PATH"].endswith(":/opt/bin") and environment["PYTHONPATH"] == "/nowhere:/opt/python"
    assert environment["LD_LIBRARY_PATH"].split(":")[-1] == "/opt/lib"


def test_layers_are_read_only(host, layers):
    for name in ("both", "one"):
        answer = host.invoke(name, {"do": "write", "path": "/opt/only-first"})
        assert answer.headers["X-Amz-Function-Error"] == "Unhandled" and "Read-only" in answer.json()["errorMessage"]
    assert "only-first" in os.listdir(layers[0])


def test_a_function_without_layers_sees_the_machine_s_own(host):
    assert sorted(host.invoke("none", {}).json()) == sorted(os.listdir("/opt"))
    assert "/opt/bin" not in host.invoke("none", {"do": "environment"}).json()["PATH"]


def test_extensions_in_layers_start_and_find_what_came_with_them(host):
    assert host.invoke("both", {"do": "import"}).status == 200
    log = host.folder / "data" / "logs" / "both.log"
    poll(lambda: "the extension found its helper" in log.read_text(), 20, lambda: log.read_text())
    assert "EXTENSION\tName: layered-extension\tState: Ready" in log.read_text()


def test_a_layer_that_is_not_there_is_a_problem_of_the_file(kelvin, tmp_path):
    (tmp_path / "kelvin.yaml").write_text(json.dumps(
        {"functions": {"f": {"command": ["python3"], "layers": ["nowhere"]}}}))
    checked = subprocess.run(
        [kelvin, "check-config", "kelvin.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert checked.returncode == 64 and f"layers: there is no folder {tmp_path}/nowhere" in checked.stderr


def test_without_mounts_the_host_says_that_there_are_no_layers(hosts, layers):
    host = hosts({"f": python_function("layered.handler", layers=layers)}, isolation="none")
    with pytest.raises(AssertionError, match="the host ended with 1"):
        host.start()
    host.process = None
    assert "The layers of 'f' cannot be shown at /opt" in host.said() and "isolation: auto" in host.said()
