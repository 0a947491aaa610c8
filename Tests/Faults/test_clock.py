"""Somebody sets the clock of an agent's machine, while eight senders send and the agent is killed: everything is counted once, in its window."""
import os
import random
import time

from kelvin_host import poll
from senders import WINDOW_SECONDS, Load, Target, eight_senders, problems
from system_clock import SystemClock

ROUNDS = max(1, int(os.environ.get("KELVIN_FAULTS", "20")) // 40)
SEED = int(os.environ.get("KELVIN_SEED", "1"))
# Farther ahead of the agent than five minutes, events are refused.
STEP_SECONDS = 180


def steps(target, clock, choose):
    """Some steps under a kill, and one that the agent has to notice."""
    seconds = 0
    for _ in range(3):
        time.sleep(choose.uniform(0.3, 1))
        seconds = choose.randint(-STEP_SECONDS, STEP_SECONDS)
        clock.set(seconds)
        time.sleep(choose.uniform(0, 1))
        target.kill()
        target.start()
    clock.set(-STEP_SECONDS if seconds > 0 else STEP_SECONDS)
    # It looks every ten seconds.
    poll(lambda: target.host.metrics()("kelvin_clock_steps_total") == 1, 20, "the step is noticed")
    assert "clock" in target.host.said()


def test_steps_under_eight_senders(hosts, tmp_path):
    choose = random.Random(SEED)
    acknowledged = 0
    for number in range(ROUNDS):
        clock = SystemClock(tmp_path)
        host = hosts(
            {"unused": {"command": ["true"]}}, window=f"{WINDOW_SECONDS}s", command="agent", environment=clock.environment)
        target = Target(host)
        target.start()
        load = Load(target, choose.random())
        load.run(eight_senders(load), lambda target=target, clock=clock: steps(target, clock, choose))
        assert len(load.records) > 500
        # The windows of the last half hour are asked for.
        target.kill()
        clock.set(0)
        target.start()
        assert not (found := problems(host, load.records)), f"round {number}: {found[:20]}"
        assert host.stop() == 0
        acknowledged += len(load.records)
    print(f"{ROUNDS} rounds of four steps of the clock: {acknowledged} events, all counted once")
