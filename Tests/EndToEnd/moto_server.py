"""Starts moto's server, a stand-in for AWS that is not Kelvin's."""
import http.client
import os
import subprocess
import sys
import tempfile

from kelvin_host import poll

# What decides about credentials and targets: none of it comes from whoever runs the tests.
FOREIGN = ("AWS_", "KELVIN_")


def environment(**variables):
    """The environment without anything that tells AWS's tools or Kelvin's where to go, and `variables`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**own, "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **variables}


class MotoServer:
    """`moto_server` on a free port."""

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            env=environment())
        self.port = int(self.process.stdout.readline() or 0)
        assert self.port, f"moto's server did not start: {self.said()}"
        poll(self.answers, 60, lambda: f"moto's server answers; it said: {self.said()}")
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()
        self.log.close()

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/moto-api/data.json")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


# Its own command takes no port that is free and says which; this is what that command does.
PROGRAM = """
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""
