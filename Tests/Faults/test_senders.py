"""An agent that is killed and stopped at random moments under eight senders: what was acknowledged is counted once, window by window."""
import os
import random
import time

from senders import WINDOW_SECONDS, Load, Target, eight_senders, problems

ROUNDS = max(2, int(os.environ.get("KELVIN_FAULTS", "20")) // 10)
SEED = int(os.environ.get("KELVIN_SEED", "1"))
RESTARTS = 4


def restarts(target, choose):
    """Ends an agent some times, by kill -9 or as an administrator does."""
    for _ in range(RESTARTS):
        time.sleep(choose.uniform(0.2, 1.2))
        if choose.random() < 0.6:
            target.kill()
        else:
            began = time.monotonic()
            assert target.end(target.host.stop) == 0, target.host.said()
            # A sender in the middle of a body holds nothing up.
            assert time.monotonic() - began < 15
        target.start()
    time.sleep(choose.uniform(0.2, 1))


def test_restarts_under_eight_senders(hosts):
    choose = random.Random(SEED)
    acknowledged = batches = repeated = attempts = 0
    for number in range(ROUNDS):
        host = hosts({"unused": {"command": ["true"]}}, window=f"{WINDOW_SECONDS}s", command="agent")
        target = Target(host)
        target.start()
        load = Load(target, choose.random())
        load.run(eight_senders(load), lambda target=target: restarts(target, choose))
        assert len(load.records) > 500 and load.repeated
        assert not (found := problems(host, load.records)), f"round {number}: {found[:20]}"
        # All of it is kept.
        target.kill()
        target.start()
        assert not (found := problems(host, load.records)), f"round {number}: {found[:20]}"
        assert host.stop() == 0
        acknowledged += len(load.records)
        batches += len(load.batches)
        repeated += load.repeated
        attempts += load.attempts
    print(
        f"{ROUNDS} rounds of {RESTARTS} restarts: {acknowledged} events in {batches} batches, {repeated} of them sent again "
        f"once acknowledged, {attempts} attempts; all counted once")
