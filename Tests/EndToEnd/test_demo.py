"""`make demo`, after its building, as whoever runs the tests."""
import json
import os
import re
import signal
import subprocess

import yaml

from kelvin_host import EXAMPLES, MARK, REPOSITORY, kelvin_binary, poll, processes_with

SECONDS = 20


def test_the_demo_tells_its_story_and_leaves_nothing(kelvin, tmp_path):
    """With the example's own functions, on free ports, and a store of its own."""
    document = yaml.safe_load((EXAMPLES / "kelvin.yaml").read_text(encoding="utf-8"))
    mark = tmp_path.name + str(os.getpid())
    for function in document["functions"].values():
        function["directory"] = str(EXAMPLES / function["directory"])
        function.setdefault("environment", {})[MARK] = mark
    document["agent"] = {"listen": "127.0.0.1:0", "dataDirectory": str(tmp_path / "data")}
    document["host"] = {"listen": "127.0.0.1:0"}
    configuration = tmp_path / "kelvin.yaml"
    configuration.write_text(json.dumps(document), encoding="utf-8")
    environment = {
        **os.environ, "KELVIN_BUILD": str(kelvin_binary().parent), "DEMO_CONFIG": str(configuration),
        "DEMO_SECONDS": str(SECONDS), "DEMO_EXIT": "1"}
    process = subprocess.Popen(
        [REPOSITORY / "scripts" / "demo"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        said, _ = process.communicate(timeout=SECONDS + 100)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    assert process.returncode == 0, said
    assert "unexpected" not in said
    # What docs/examples/README.md shows.
    assert re.search(r"5 answered 200, 25 answered 429", said), said
    assert "all four are sent" in said and re.search(r'"heard": "pear"}, {"error": .*"heard": "plum"}', said), said
    assert re.search(r"^Timestamp +Queued", said, re.MULTILINE), said
    assert re.search(r"^Timestamp +Invocations +Throttled +Errors +504s", said, re.MULTILINE), said
    assert re.search(r"^orders +512 MB +10 s +512 MB +5 ", said, re.MULTILINE), said
    poll(lambda: not processes_with(mark), 10, lambda: f"instances end: {processes_with(mark)}")
