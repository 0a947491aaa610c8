#!/usr/bin/env python3
"""Load on a host while its programs are killed, its limits change and its functions misbehave; then the books must balance.

    chaos.py [SECONDS] [--seed SEED]

At the end every request was answered, Kelvin's totals and windows equal the log of the driver (windows are recomputed as
recompute.py does), and no process, mount, control group or folder is left. What chance decides comes from the seed,
which is printed; what the machine decides (who is hit by a kill) does not.
"""
import argparse
import os
import random
import signal
import stat
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import leftovers
from kelvin_host import NANOSECONDS, KelvinHost, kelvin_binary, poll, processes_with, python_function
from load_driver import LoadDriver
from recompute import differences

WINDOW_SECONDS = 5
# What is asked of each function, and how often. `hungry` alone eats memory, and is not killed: so its ends are told apart.
LOAD = {
    "orders": [
        ("invoke", "ok", {}, 20), ("url", "ok", {}, 20), ("invoke", "sleep", {"ms": 150}, 10),
        ("url", "sleep", {"ms": 80}, 10), ("invoke", "exit", {}, 1), ("url", "exit", {}, 1), ("invoke", "loop", {}, 0.5),
        ("url", "loop", {}, 0.5), ("invoke", "fork", {"seconds": 30}, 2),
    ],
    "reports": [
        ("invoke", "ok", {}, 10), ("url", "sleep", {"ms": 60}, 10), ("invoke", "fill", {"megabytes": 40}, 2),
        ("url", "fill", {"megabytes": 20, "keep": "yes"}, 1), ("invoke", "output", {"lines": 3000}, 1),
    ],
    "hungry": [("invoke", "memory", {}, 1), ("url", "memory", {}, 1), ("invoke", "ok", {}, 4)],
    "quiet": [("invoke", "ok", {}, 10), ("url", "ok", {}, 10), ("invoke", "sleep", {"ms": 30}, 5)],
}
KILLED = ("orders", "reports")
EXTENSION = """#!{python}
import http.client, json, os
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
connection.request("POST", "/2020-01-01/extension/register", json.dumps({{"events": ["INVOKE", "SHUTDOWN"]}}),
                   {{"Lambda-Extension-Name": os.path.basename(__file__)}})
answer = connection.getresponse()
answer.read()
name = {{"Lambda-Extension-Identifier": answer.headers["Lambda-Extension-Identifier"]}}
while True:
    connection.request("GET", "/2020-01-01/extension/event/next", headers=name)
    answer = connection.getresponse()
    if answer.status != 200 or json.loads(answer.read())["eventType"] == "SHUTDOWN":
        break
"""


def functions(folder):
    extensions = Path(folder) / "extensions"
    extensions.mkdir(parents=True)
    extension = extensions / "watcher"
    extension.write_text(EXTENSION.format(python=sys.executable))
    extension.chmod(extension.stat().st_mode | stat.S_IXUSR)
    return {
        "orders": python_function("hog.handler", memory=128, timeout="1s", reserved=6, extensions=str(extensions)),
        "reports": python_function("hog.handler", memory=128, temporaryStorage="32MB", timeout="5s", reserved=4),
        "hungry": python_function("hog.handler", memory=128, timeout="10s", reserved=2),
        "quiet": python_function("hog.handler", memory=128, timeout="20s"),
    }


class Mischief(threading.Thread):
    """Kills programs and changes limits until it is told to end."""

    def __init__(self, host, seed):
        super().__init__(daemon=True)
        self.host = host
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.counts = Counter()
        self.client = boto3.client(
            "lambda", endpoint_url=f"http://{host.host}", region_name="eu-central-1", aws_access_key_id="x",
            aws_secret_access_key="x", config=Config(retries={"max_attempts": 0}))

    def run(self):
        while not self.over.wait(self.random.uniform(0.1, 0.8)):
            self.random.choices((self.kill, self.change), (3, 1))[0]()

    def end(self):
        self.over.set()
        self.join(30)
        assert not self.is_alive(), "the mischief hangs"

    def kill(self):
        """One program of an instance: a runtime, an extension, or a child of either."""
        wanted = [f"AWS_LAMBDA_FUNCTION_NAME={name}".encode() for name in KILLED]
        victims = []
        for process in sorted(processes_with(self.host.mark)):
            try:
                variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
                command = Path(f"/proc/{process}/cmdline").read_bytes()
            except OSError:
                continue
            if any(name in variables for name in wanted):
                victims.append((process, "extension" if b"/extensions/" in command else "runtime"))
        if not victims:
            return
        process, kind = self.random.choice(victims)
        try:
            os.kill(process, signal.SIGKILL)
            self.counts[f"killed {kind}"] += 1
        except ProcessLookupError:
            pass

    def change(self):
        """One limit, on the control plane; what the host does not offer is counted as refused."""
        name = self.random.choice(KILLED)
        what, call = self.random.choice([
            ("reserved", lambda: self.client.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=self.random.choice((0, 2, 4, 8)))),
            ("reserved off", lambda: self.client.delete_function_concurrency(FunctionName=name)),
            ("memory", lambda: self.client.update_function_configuration(
                FunctionName=name, MemorySize=self.random.choice((128, 192, 256)))),
            ("timeout", lambda: self.client.update_function_configuration(
                FunctionName=name, Timeout=self.random.choice((1, 2)))),
            ("provisioned", lambda: self.client.put_provisioned_concurrency_config(
                FunctionName=name, Qualifier="current",
                ProvisionedConcurrentExecutions=self.random.choice((1, 2)))),
            ("provisioned off", lambda: self.client.delete_provisioned_concurrency_config(
                FunctionName=name, Qualifier="current")),
        ])
        try:
            call()
            self.counts[f"changed {what}"] += 1
        except ClientError as error:
            self.counts[f"{what} refused: {error.response['Error']['Code']}"] += 1


def totals_problems(host, records):
    """What differs between the log and the totals, as sentences."""
    problems = []
    metrics = host.metrics()

    def check(name, shown, wanted):
        if shown != wanted:
            problems.append(f"{name}: shown {shown}, the log has {wanted}")

    for function in LOAD:
        mine = [record for record in records if record["function"] == function]
        finished = [record for record in mine if record["status"] != 429]
        label = {"function": function}
        timeouts = [r for r in finished if r["status"] == 504 or r["type"] == "Sandbox.Timedout"]
        # No function reports an error: what failed and is no timeout has ended, by itself, by a kill, or for memory.
        ended = [r for r in finished if r not in timeouts and (r["failed"] or r["status"] == 502)]
        check(f"{function} invocations", metrics.total("lambda_invocations_total", **label), len(finished))
        check(f"{function} errors", metrics.total("lambda_errors_total", **label), len(timeouts) + len(ended))
        check(f"{function} timeouts", metrics.total("lambda_timeouts_total", **label), len(timeouts))
        crashes = metrics.total("lambda_crashes_total", **label)
        starved = metrics.total("lambda_out_of_memory_total", **label)
        check(f"{function} crashes and out of memory", crashes + starved, len(ended))
        if function == "hungry":
            check("hungry out of memory", starved, len([r for r in ended if r["asked"] == "memory"]))
        check(f"{function} cold starts", metrics.total("lambda_cold_starts_total", **label),
              sum(record["cold"] for record in finished))
        for reason, count in Counter(record["reason"] for record in mine if record["status"] == 429).items():
            check(f"{function} throttles {reason}",
                  metrics.total("lambda_throttles_total", reason=reason, **label), count)
        check(f"{function} throttles", metrics.total("lambda_throttles_total", **label), len(mine) - len(finished))
    failed = [r for r in records if r["function"] == "quiet" and (r["failed"] or r["status"] >= 500)]
    check("failures of the function that nobody harms", len(failed), 0)
    return problems


def window_problems(host, records):
    def busy():
        return [window for window in host.windows().list if window["invocations"] or window["concurrencyMax"]]

    poll(lambda: all(window["closed"] for window in busy()), 30, "the windows are closed")
    first = min(record["start"] for record in records) // NANOSECONDS
    minutes = int(time.time() - first) // 60 + 2
    document = host.windows(range=f"{minutes}m").document
    # A status of 502 alone does not say whether the instance crashed; the totals are asked for that.
    unknown = (" crashes", " timeoutsBySource")
    return [problem for problem in differences(records, document, WINDOW_SECONDS * NANOSECONDS)
            if not any(name in problem for name in unknown)]


def run(binary, folder, seconds, seed, clients=6):
    """Returns what happened, as lines; fails if anything is not as it must be."""
    host = KelvinHost(binary, folder, functions(folder), window=f"{WINDOW_SECONDS}s", account=14)
    host.start()
    mischief = Mischief(host, seed)
    try:
        driver = LoadDriver(host.host, LOAD, seed)
        mischief.start()
        records = driver.run(seconds, clients, bursts(seconds, seed))
        mischief.end()
        poll(lambda: host.metrics()("lambda_account_concurrent_executions") == 0, 30, "nothing runs")
        problems = totals_problems(host, records) + window_problems(host, records)
    finally:
        mischief.over.set()
        code = host.stop(seconds=60)
    assert code == 0, f"the host ended with {code}: {host.said()[-2000:]}"
    poll(lambda: not leftovers.found(), 20, lambda: f"left: {leftovers.found()}")
    assert not problems, "\n".join(problems[:40])
    statuses = Counter(record["status"] for record in records)
    types = Counter(record["type"] for record in records if record["type"])
    lines = [f"{len(records)} requests, all answered: " + ", ".join(f"{n} with {s}" for s, n in sorted(statuses.items()))]
    lines += [f"{count} {what}" for what, count in sorted((types + mischief.counts).items())]
    return lines + ["totals and windows equal the log; nothing is left"]


def bursts(seconds, seed):
    """Now and then more at once than the account has."""
    chance = random.Random(seed + 1)
    found, after = [], 3.0
    while after < seconds - 3:
        function = chance.choice(("orders", "reports", "quiet"))
        found.append((after, chance.randint(5, 25), function, "invoke", "sleep", {"ms": chance.randint(50, 500)}))
        after += chance.uniform(3, 12)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", nargs="?", type=int, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"{options.seconds} s, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kelvin-chaos.") as folder:
        print("\n".join(run(kelvin_binary(), Path(folder) / "host", options.seconds, options.seed)))


if __name__ == "__main__":
    main()
