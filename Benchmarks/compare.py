#!/usr/bin/env python3
"""The same load on Kelvin and on MiniStack, and both tables beside the truth: see scripts/compare."""
import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import io
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).resolve().parent
FUNCTION = HERE / "compared" / "work.py"
RESERVED = 2
ROWS = ("invocations", "throttles", "errors", "timeouts", "crashes", "concurrency (max)")


def poll(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise SystemExit(f"compare.py: not within {seconds} s: {what}")
        time.sleep(0.1)


def client(service, endpoint):
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 0}, read_timeout=120, max_pool_connections=32))


@contextlib.contextmanager
def ended(process):
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Kelvin:
    name = "Kelvin"

    def __init__(self, binary, folder, truth):
        self.binary, self.folder, self.truth = binary, folder, truth

    @contextlib.contextmanager
    def running(self):
        code = self.folder / "code"
        code.mkdir()
        shutil.copy(FUNCTION, code)
        (self.folder / "kelvin.yaml").write_text(json.dumps({
            "agent": {"listen": "127.0.0.1:0", "window": "60s"},
            "host": {"listen": "127.0.0.1:0"},
            "functions": {"work": {
                "command": [sys.executable, "-m", "awslambdaric", "work.handler"], "directory": str(code), "timeout": "1s",
                "reserved": RESERVED, "environment": {"TRUTH": str(self.truth)}}},
        }))
        log = self.folder / "log"
        with open(log, "wb") as said:
            process = subprocess.Popen([self.binary, "host"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        with ended(process):
            poll(lambda: "Stop with Ctrl-C." in log.read_text(), 30, "Kelvin answers")
            self.agent = re.search(r"metrics +(http://[0-9.:]+)/metrics", log.read_text())[1]
            self.endpoint = re.search(r"invoke +(http://[0-9.:]+)", log.read_text())[1]
            yield self

    def told(self, since):
        answer = urllib.request.urlopen(f"{self.agent}/api/v1/windows?function=work&range=30m&resolution=1m")
        windows = json.load(answer)["windows"]
        return {
            "invocations": sum(w["invocations"] for w in windows), "throttles": sum(w["throttles"] for w in windows),
            "errors": sum(w["errors"] for w in windows), "timeouts": sum(w["timeouts"] for w in windows),
            "crashes": sum(w["crashes"] for w in windows), "concurrency (max)": max(w["concurrencyMax"] for w in windows),
        }


class MiniStack:
    name = "MiniStack"

    def __init__(self, binary, folder, truth):
        self.binary, self.folder, self.truth = binary, folder, truth

    @contextlib.contextmanager
    def running(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "TMPDIR": str(self.folder),
                       "SERVICES": "lambda,cloudwatch,iam,sts,logs,sqs,s3"}
        with open(self.folder / "log", "wb") as said:
            process = subprocess.Popen([self.binary], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        with ended(process):
            poll(self.answers, 60, f"MiniStack answers: {(self.folder / 'log').read_text()[-2000:]}")
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as files:
                files.write(FUNCTION, "work.py")
            functions = client("lambda", self.endpoint)
            functions.create_function(
                FunctionName="work", Runtime=f"python3.{sys.version_info.minor}", Role="arn:aws:iam::000000000000:role/r", Handler="work.handler",
                Timeout=1, Code={"ZipFile": archive.getvalue()}, Environment={"Variables": {"TRUTH": str(self.truth)}})
            poll(lambda: functions.get_function(FunctionName="work")["Configuration"].get("State", "Active") == "Active", 60, "the function is active")
            functions.put_function_concurrency(FunctionName="work", ReservedConcurrentExecutions=RESERVED)
            yield self

    def answers(self):
        try:
            client("lambda", self.endpoint).list_functions()
            return True
        except Exception:  # Whatever it says while it starts.
            return False

    def told(self, since):
        cloudwatch = client("cloudwatch", self.endpoint)

        def ask(metric, statistic):
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/Lambda", MetricName=metric, Dimensions=[{"Name": "FunctionName", "Value": "work"}], Period=60, Statistics=[statistic],
                StartTime=since - datetime.timedelta(minutes=2), EndTime=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2))["Datapoints"]
            values = [point[statistic] for point in points]
            if not values:
                return None
            return int(sum(values) if statistic == "Sum" else max(values))

        # CloudWatch has no metric of timeouts or crashes; neither has it.
        return {
            "invocations": ask("Invocations", "Sum"), "throttles": ask("Throttles", "Sum"), "errors": ask("Errors", "Sum"), "timeouts": None,
            "crashes": None, "concurrency (max)": ask("ConcurrentExecutions", "Maximum"),
        }


class Load:
    """Asks for executions, and writes down what came of each."""

    def __init__(self, endpoint, truth):
        self.functions = client("lambda", endpoint)
        self.truth = truth
        self.seen = collections.Counter()

    def ask(self, event, asynchronous=False):
        try:
            answer = self.functions.invoke(
                FunctionName="work", Payload=json.dumps({**event, "id": uuid.uuid4().hex}), InvocationType="Event" if asynchronous else "RequestResponse")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 429:
                raise
            self.seen["throttles"] += 1
            return
        if asynchronous:
            self.seen["accepted events"] += 1
            return
        body = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" not in answer:
            self.seen["successes"] += 1
            return
        text = json.dumps(body)
        self.seen["errors"] += 1
        if "imed out" in text or "Timedout" in text:
            self.seen["timeouts"] += 1
        elif event["do"] == "exit":
            self.seen["crashes"] += 1

    def executions(self):
        return len(self.truth.read_bytes().splitlines())

    def story(self):
        """One at a time, then too many at once, then what fails, then events that nobody waits for."""
        for _ in range(10):
            self.ask({"do": "ok"})
        for _ in range(3):
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                list(pool.map(lambda _: self.ask({"do": "sleep", "seconds": 0.6}), range(6)))
        for event in ({"do": "error"}, {"do": "error"}, {"do": "sleep", "seconds": 2}, {"do": "exit"}):
            self.ask(event)
        for _ in range(5):
            self.ask({"do": "ok"}, asynchronous=True)
            time.sleep(0.3)
        poll(lambda: self.settled(), 60, "what runs has ended")

    def settled(self):
        before = self.executions()
        time.sleep(2)
        return self.executions() == before

    def warm(self, seconds):
        """Warm invocations one after another for so long: how many a second."""
        for _ in range(20):
            self.ask({"do": "ok"})
        count, start = 0, time.monotonic()
        while time.monotonic() - start < seconds:
            self.ask({"do": "ok"})
            count += 1
        return count / (time.monotonic() - start)


def run(made, seconds):
    since = datetime.datetime.now(datetime.timezone.utc)
    with made.running() as server:
        load = Load(server.endpoint, made.truth)
        load.story()
        rate = load.warm(seconds)
        poll(load.settled, 30, "what runs has ended")
        time.sleep(2)
        # CloudWatch's words: an invocation is an execution, a refusal is none.
        truth = {
            "invocations": load.executions(), "throttles": load.seen["throttles"], "errors": load.seen["errors"], "timeouts": load.seen["timeouts"],
            "crashes": load.seen["crashes"], "concurrency (max)": RESERVED,
        }
        return truth, server.told(since), rate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kelvin", required=True)
    parser.add_argument("--ministack", required=True)
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="kelvin-compare-") as folder:
        for kind, binary in ((Kelvin, arguments.kelvin), (MiniStack, arguments.ministack)):
            place = pathlib.Path(folder) / kind.name
            place.mkdir()
            truth_file = place / "truth"
            truth_file.touch()
            truth, told, rate = run(kind(str(pathlib.Path(binary).absolute()), place, truth_file), arguments.seconds)
            print(f"{kind.name + ':':24}{'true':>8}{'told':>8}")
            for row in ROWS:
                differs = told[row] != truth[row]
                if kind is Kelvin:
                    wrong += differs
                print(f"  {row:22}{truth[row]:>8}{'–' if told[row] is None else told[row]:>8}{'   differs' if differs and told[row] is not None else ''}")
            print(f"  {'warm invokes a second':22}{rate:>8.0f}\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
