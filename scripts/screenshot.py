#!/usr/bin/env python3
"""Tells the story of the demonstration to a host of its own and takes a picture of the page.

    scripts/screenshot.py KELVIN FILE [SECONDS]
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))
# Their folder is only now on the path.
from chromium import Browser, wait  # noqa: E402
from server_process import free_port  # noqa: E402


def is_ready(agent):
    try:
        with urllib.request.urlopen(f"http://{agent}/-/ready", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def configuration(folder, agent, host):
    """That of the examples, with windows short enough to show a story of a minute and a half."""
    import yaml

    document = yaml.safe_load((REPOSITORY / "docs/examples/kelvin.yaml").read_text())
    document.setdefault("agent", {}).update(listen=agent, dataDirectory=str(folder / "data"), window="2s")
    document.setdefault("host", {}).update(listen=host)
    for function in document["functions"].values():
        function["directory"] = str(REPOSITORY / "docs/examples" / function.get("directory", "."))
    path = folder / "kelvin.yaml"
    path.write_text(json.dumps(document))
    return path


def take(agent, target):
    with Browser(width=1280, height=1000) as browser:
        browser.prefer("light")
        browser.resize(1280, 1000)
        browser.open(f"http://{agent}/?range=2m&function=orders")
        browser.wait_for("document.querySelectorAll('.plot canvas').length >= 12", what="charts are drawn")
        browser.wait_for("document.querySelectorAll('#instances tbody tr').length > 0")
        browser.screenshot(target)


def main():
    kelvin, target, seconds = os.path.abspath(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "90"
    agent, host = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="kelvin-screenshot-") as folder:
        process = subprocess.Popen(
            [kelvin, "host", "--config", str(configuration(Path(folder), agent, host))], stdin=subprocess.DEVNULL,
            cwd=REPOSITORY / "docs/examples")
        try:
            wait(lambda: is_ready(agent), 60, "the host is ready")
            subprocess.run(
                [sys.executable, str(REPOSITORY / "scripts/demo-story.py"), f"http://{host}", seconds], check=True)
            take(agent, target)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    print(f"{target}: {target.stat().st_size} bytes")
    return 0 if target.stat().st_size < 200_000 else 1


if __name__ == "__main__":
    sys.exit(main())
