"""Two machines on one: network namespaces with a link between them. Needs root's rights and ip(8)."""
import ctypes
import os
import shutil
import subprocess
import threading

import pytest

CLONE_NEWNET = 0x40000000


def ip(*arguments):
    outcome = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=20, check=False)
    if outcome.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {outcome.stderr.strip()}")


class Machine:
    """One end of the link."""

    def __init__(self, name, address):
        self.name, self.address, self.link = name, address, f"{name}l"

    def inside(self, body):
        """Calls `body` in the namespace, with all threads and processes that it starts, and returns what it does."""
        outcome = []

        def run():
            try:
                descriptor = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
                try:
                    # A namespace is a thread's own, so nobody else notices.
                    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                finally:
                    os.close(descriptor)
                outcome.append((body(), None))
            except BaseException as problem:  # pylint: disable=broad-except
                outcome.append((None, problem))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        result, problem = outcome[0]
        if problem:
            raise problem
        return result

    def set_link(self, state):
        """Unplugs ("down") or plugs in ("up")."""
        ip("-n", self.name, "link", "set", self.link, state)


class TwoMachines:
    """Namespaces that are gone again afterwards; the test is skipped where they cannot be made."""

    def __enter__(self):
        if not shutil.which("ip"):
            pytest.skip("there is no ip(8); it is in the package iproute2")
        prefix = f"kelvin{os.getpid() % 100_000}"
        self.machines = [Machine(f"{prefix}{letter}", f"10.201.77.{number}") for letter, number in (("a", 1), ("b", 2))]
        try:
            self.make()
        except OSError as problem:
            self.__exit__()
            pytest.skip(f"network namespaces cannot be made here: {problem}")
        return self.machines

    def make(self):
        first, second = self.machines
        for machine in self.machines:
            ip("netns", "add", machine.name)
            ip("-n", machine.name, "link", "set", "lo", "up")
        ip("-n", first.name, "link", "add", first.link, "type", "veth", "peer", "name", second.link, "netns", second.name)
        for machine in self.machines:
            ip("-n", machine.name, "address", "add", f"{machine.address}/30", "dev", machine.link)
            machine.set_link("up")

    def __exit__(self, *_):
        for machine in self.machines:
            subprocess.run(["ip", "netns", "delete", machine.name], capture_output=True, timeout=20, check=False)
