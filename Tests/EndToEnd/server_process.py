"""A server of others, as a process of the test's own: on a free port of loopback, ended by its process id."""
import json
import shutil
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from kelvin_host import poll


def free_port():
    """A port that nobody has now; somebody may have it a moment later, so who uses it must be able to try again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerProcess:
    """What all have in common. A class names its program, gives its arguments, and says where it tells that it is ready."""

    # Names of the program, the first that is there.
    programs = ()
    ready_path = "/-/ready"

    def __init__(self, folder):
        self.folder, self.process, self.address = Path(folder), None, None
        self.folder.mkdir(parents=True, exist_ok=True)

    def arguments(self, attempt):
        """To listen on `self.address` and keep data in a folder of this attempt."""
        raise NotImplementedError

    def start(self):
        name = self.programs[0]
        program = next(filter(None, map(shutil.which, self.programs)), None)
        assert program, f"{name} is not installed; scripts/install-packages test installs it"
        for attempt in range(5):
            # Somebody may take the port in between.
            self.address = f"127.0.0.1:{free_port()}"
            log_file = self.folder / f"server-{attempt}.log"
            with open(log_file, "wb") as log:
                self.process = subprocess.Popen(
                    [program, *self.arguments(attempt)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            poll(lambda: self.is_ready() or self.process.poll() is not None, 60, f"{name} is ready")
            if self.process.poll() is None:
                return self
        raise AssertionError(f"{name} did not start: {log_file.read_text()[-2000:]}")

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}{self.ready_path}", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def get(self, path, **parameters):
        """The document at a path of its API; an error is raised."""
        url = f"http://{self.address}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)
