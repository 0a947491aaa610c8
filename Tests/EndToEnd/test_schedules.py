"""Schedules of a host: when they come, what functions are given, and what a restart does to them."""
import calendar
import json
import random
import re
import signal
import threading
import time
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from kelvin_host import poll, python_function, request, run


def at(seconds, zone="UTC"):
    """The expression of an instant some seconds from now, and that instant."""
    instant = datetime.fromtimestamp(int(time.time()) + seconds, timezone.utc)
    return f"at({instant.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M:%S})", f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def job(events, **settings):
    return python_function("jobs.handler", environment={"EVENTS_FILE": str(events)}, **settings)


def runs(events, schedule):
    """What the function was given for a schedule, in order."""
    return [run for line in events.read_text().splitlines() if (run := json.loads(line))["event"].get("name") == schedule
            or any(arn.endswith(f"/{schedule}") for arn in run["event"].get("resources", []))]


@pytest.fixture
def events(tmp_path):
    file = tmp_path / "events.ndjson"
    file.touch()
    tmp_path.chmod(0o755)
    file.chmod(0o666)
    return file


@pytest.fixture(scope="module")
def story(hosts, tmp_path_factory):
    """A host whose schedules come soon, with the instants at which they do."""
    folder = tmp_path_factory.mktemp("events")
    events = folder / "events.ndjson"
    events.touch()
    events.chmod(0o666)
    plain, plain_at = at(4)
    berlin, berlin_at = at(4, "Europe/Berlin")
    failing, _ = at(4)
    host = hosts(
        {"jobs": job(events), "paused": job(events, reserved=0)}, isolation="none",
        sections={"schedules": {
            "plain": {"function": "jobs", "expression": plain},
            "own": {
                "function": "jobs", "expression": berlin, "timezone": "Europe/Berlin",
                "input": {"name": "own", "at": "<aws.scheduler.scheduled-time>", "list": [1, "1", None, True]},
            },
            "failing": {
                "function": "jobs", "expression": failing, "input": {"name": "failing", "do": "fail"}, "retries": 1,
                "retryDelay": "1s",
            },
            "nightly": {"function": "jobs", "expression": "cron(0 3 * * ? *)", "timezone": "America/New_York"},
            "broken": {"function": "jobs", "expression": "rate(1 day)", "input": {"name": "broken", "do": "fail"}},
            "stopped": {"function": "paused", "expression": "0 0 1 1 *"},
        }},
    ).start()
    return host, events, plain_at, berlin_at


def test_a_run_has_the_event_of_eventbridge(story):
    _, events, plain_at, _ = story
    (run,) = poll(lambda: runs(events, "plain"), 20, "the run comes")
    assert run["event"] == {
        "version": "0", "id": run["request"], "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "000000000000", "time": plain_at, "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/plain"], "detail": {},
    }
    assert 0 <= run["now"] - calendar.timegm(time.strptime(plain_at, "%Y-%m-%dT%H:%M:%SZ")) < 10


def test_a_run_in_another_zone_has_its_own_input(story):
    _, events, _, berlin_at = story
    (run,) = poll(lambda: runs(events, "own"), 20, "the run comes")
    assert run["event"] == {"name": "own", "at": berlin_at, "list": [1, "1", None, True]}


def test_a_failed_run_is_repeated_with_its_id(story):
    host, events, _, _ = story
    first, second = poll(lambda: len(runs(events, "failing")) > 1 and runs(events, "failing"), 20, "the repetition comes")
    assert first["request"] == second["request"] and second["now"] - first["now"] >= 0.9
    expected = {"times": 1, "runs": 2, "runs_failed": 2, "runs_retried": 1, "runs_dropped": 1, "runs_processed": 0, "runs_missed": 0}

    def counts():
        metrics = host.metrics()
        return {name: metrics(f"lambda_schedule_{name}_total", schedule="failing") for name in expected}

    poll(lambda: counts() == expected, 10, lambda: f"what was counted is true: {counts()}")


def test_schedules_are_listed_and_run_by_hand(story):
    host, events, _, _ = story
    listed = {entry["name"]: entry for entry in request(host.host, "GET", "/kelvin/v1/schedules").json()["schedules"]}
    assert list(listed) == ["broken", "failing", "nightly", "own", "plain", "stopped"]
    nightly = listed["nightly"]
    assert (nightly["function"], nightly["timezone"], nightly["overlap"]) == ("jobs", "America/New_York", "start")
    local = [datetime.fromisoformat(text).astimezone(ZoneInfo("America/New_York")) for text in nightly["next"]]
    assert len(local) == 3 and all((hour.hour, hour.minute) == (3, 0) for hour in local)

    answer = host.run("schedule", "run", "nightly")
    assert answer.returncode == 0 and json.loads(answer.stdout) == "done", answer
    assert len(runs(events, "nightly")) == 1
    failed = host.run("schedule", "run", "broken")
    assert failed.returncode == 1 and "told to fail" in failed.stderr
    throttled = host.run("schedule", "run", "stopped")
    assert throttled.returncode == 1 and "throttled the schedule stopped" in throttled.stderr
    unknown = host.run("schedule", "run", "nobody")
    assert unknown.returncode == 64 and "There is no schedule 'nobody'; there are broken," in unknown.stderr
    table = host.run("schedule", "list")
    assert re.search(r"nightly +jobs +cron\(0 3 \* \* \? \*\) America/New_York", table.stdout), table.stdout
    status = host.run("status")
    assert status.returncode == 0 and "nightly" in status.stdout and nightly["next"][0] in status.stdout, status


def test_a_run_that_a_kill_cut_off_runs_again_and_then_no_more(hosts, events):
    expression, _ = at(3)
    host = hosts({"jobs": job(events)}, isolation="none", sections={"schedules": {
        "long": {"function": "jobs", "expression": expression, "input": {"name": "long", "do": "sleep", "seconds": 1.5}}}}).start()
    poll(lambda: runs(events, "long"), 20, "the run begins")
    host.stop(signal.SIGKILL)
    kept = host.folder / "data" / "schedules.json"
    assert json.loads(kept.read_text())["schedules"]["long"]["expression"] == expression
    host.start()
    poll(lambda: len(runs(events, "long")) == 2, 20, "the run comes again")
    poll(lambda: request(host.host, "GET", "/kelvin/v1/schedules").json()["schedules"][0].get("last"), 20, "the run ends")
    host.stop()
    host.start()
    answer = request(host.host, "GET", "/kelvin/v1/schedules").json()["schedules"][0]
    assert answer["next"] == [] and answer["running"] == 0
    assert len(runs(events, "long")) == 2


def test_a_stop_uses_up_no_repetition_and_each_run_that_it_cut_off_comes_again(hosts, events):
    def schedule(name, due, **settings):
        return {"function": "jobs", "expression": at(due)[0], "retries": 0, "input": {"name": name, **settings}}

    stopping = events.parent / "stopping"
    host = hosts({"jobs": job(events)}, isolation="none", sections={"schedules": {
        "long": schedule("long", 3, do="wait", file=str(stopping)),
        "waiting": {**schedule("waiting", 3, do="fail"), "retries": 5, "retryDelay": "1h"},
        "short": schedule("short", 4)}}).start()
    kept = host.folder / "data" / "schedules.json"
    unfinished = lambda: {name: entry.get("unfinished", []) for name, entry in json.loads(kept.read_text())["schedules"].items()}
    done = lambda name: (entry := json.loads(kept.read_text())["schedules"][name])["done"] > entry["anchor"]
    poll(lambda: done("short") and unfinished()["short"] == [] and runs(events, "long")
         and [run["failures"] for run in unfinished()["waiting"]] == [1], 20, "they have begun")
    host.stop(signal.SIGKILL)
    host.start()
    poll(lambda: len(runs(events, "long")) == 2 and [run["failures"] for run in unfinished()["waiting"]] == [2], 20,
         "they begin again")
    threading.Timer(1, stopping.touch).start()
    assert host.stop() == 0
    assert [(run["failures"], run["request"]) for run in unfinished()["long"]] == [(0, runs(events, "long")[0]["request"])]
    assert len({run["request"] for run in runs(events, "waiting")}) == 1
    assert len(runs(events, "short")) == 1


def test_many_schedules_at_once_leave_the_host_to_others(hosts, events):
    expression, _ = at(6)
    host = hosts({"paused": job(events, reserved=0)}, isolation="none", sections={"schedules": {
        f"s{number}": {"function": "paused", "expression": expression} for number in range(3_000)}}).start()
    kept = host.folder / "data" / "schedules.json"
    slowest = 0

    def throttled():
        nonlocal slowest
        before = time.monotonic()
        answer = host.invoke("paused", {})
        slowest = max(slowest, time.monotonic() - before)
        assert answer.status == 429
        return kept.exists() and kept.read_text().count('"request"') == 3_000

    poll(throttled, 30, "all have begun")
    assert slowest < 2


def test_times_are_told_to_people_in_whole_seconds_and_up_to_2199(kelvin):
    told = run(kelvin, "schedule", "next", "rate(36500 days)", "--after", "2026-11-30T10:00:00.123456789Z", cwd=".")
    assert told.stdout == "rate(36500 days): 2126-11-06T10:00:00Z\n"
    told = run(kelvin, "schedule", "next", "at(2262-01-01T00:00:00)", cwd=".")
    assert told.returncode == 64 and "The expression at(2262-01-01T00:00:00) is not a time from 1970 to 2199" in told.stderr


def test_times_that_nobody_saw_run_once_and_late(hosts, events):
    sections = {"schedules": {"hourly": {"function": "jobs", "expression": "0 * * * *"}}}
    host = hosts({"jobs": job(events)}, isolation="none", sections=sections).start()
    kept = host.folder / "data" / "schedules.json"
    poll(kept.exists, 20, "it is kept that there is a schedule")
    assert host.stop() == 0
    document = json.loads(kept.read_text())
    then = datetime.now(timezone.utc) - timedelta(hours=30)
    document["schedules"]["hourly"].update(anchor=f"{then:%Y-%m-%dT%H:%M:%SZ}", done=f"{then:%Y-%m-%dT%H:%M:%SZ}")
    kept.write_text(json.dumps(document))
    host.start()
    (run,) = poll(lambda: runs(events, "hourly"), 20, "the late run comes")
    assert run["event"]["time"].endswith(":00:00Z")
    assert 0 <= time.time() - calendar.timegm(time.strptime(run["event"]["time"], "%Y-%m-%dT%H:%M:%SZ")) < 3_700
    # A damaged file is said, and nothing else.
    assert host.stop() == 0
    kept.write_text("{")
    host.start()
    assert "they begin anew" in host.said()
    assert len(runs(events, "hourly")) == 1


@pytest.mark.parametrize(("settings", "sentence"), [
    ({"expression": "cron(0 12 30 2 ? *)"}, "never comes"),
    ({"expression": "cron(0 12 1 1 ? 2020)"}, "never comes"),
    ({"function": "job"}, 'there is no function "job"; did you mean jobs?'),
    ({"timezone": "Europe/Berlim"}, 'there is no time zone "Europe/Berlim" in /usr/share/zoneinfo; did you mean Europe/Berlin?'),
    ({"timezone": "berlin"}, "did you mean Europe/Berlin?"),
    ({"timezone": "../../etc/passwd"}, "is not the name of a time zone"),
    ({"expression": "rate(5 minute)"}, "write rate(5 minutes)"),
    ({"overlap": "queue"}, "overlap must be start or skip"),
])
def test_a_schedule_that_cannot_be_is_told_before_anything_runs(kelvin, tmp_path, settings, sentence):
    schedule = {"function": "jobs", "expression": "0 3 * * *", **settings}
    file = tmp_path / "kelvin.yaml"
    file.write_text(json.dumps({"functions": {"jobs": {"command": ["true"]}}, "schedules": {"nightly": schedule}}))
    checked = run(kelvin, "check-config", file, cwd=tmp_path)
    assert checked.returncode == 64 and sentence in checked.stderr, checked


# Against other programs

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Europe/Dublin"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def field(values, low, high):
    """A field that has these values, written in one of several ways."""
    kind = random.random()
    if kind < 0.3:
        return "*", set(range(low, high + 1))
    if kind < 0.5:
        step = random.randint(2, max(2, (high - low) // 2))
        return f"*/{step}", set(range(low, high + 1, step))
    if kind < 0.7:
        first = random.randint(low, high)
        last = random.randint(first + 1, high) if first < high else first
        return f"{first}-{last}" if first < last else str(first), set(range(first, last + 1))
    chosen = {random.choice(values) for _ in range(random.randint(1, 3))}
    return ",".join(map(str, sorted(chosen))), chosen


def day_rule():
    """AWS's two fields of days, and which dates they mean."""
    last = lambda day: calendar.monthrange(day.year, day.month)[1]
    number = random.randint(1, 31)
    weekday = random.randint(1, 7)
    nth = random.randint(1, 5)
    name = lambda: random.choice([str(weekday), DAYS[weekday - 1]])
    ours = lambda day: (day.weekday() + 1) % 7 + 1 == weekday

    def nearest(day):
        if number > last(day):
            return False
        wanted = date(day.year, day.month, number)
        if wanted.weekday() == 5:
            wanted += timedelta(days=-1 if number > 1 else 2)
        elif wanted.weekday() == 6:
            wanted += timedelta(days=1 if number < last(day) else -2)
        return wanted == day

    return random.choice([
        ("*", "?", lambda day: True), (str(number), "?", lambda day: day.day == number), ("L", "?", lambda day: day.day == last(day)),
        (f"{number}W", "?", nearest), ("?", name(), ours), ("?", f"{name()}L", lambda day: ours(day) and day.day + 7 > last(day)),
        ("?", f"{name()}#{nth}", lambda day: ours(day) and (day.day + 6) // 7 == nth),
        ("?", "MON-FRI", lambda day: day.weekday() < 5),
    ])


def model(minutes, hours, months, is_day, zone, after, count):
    """The next instants, by looking at every day, with Python's time zones."""
    found = []
    day = after.astimezone(zone).date() - timedelta(days=1)
    end = day + timedelta(days=366 * 9)
    while len(found) < count and day < end:
        if day.month in months and is_day(day):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    instant = local.astimezone(timezone.utc)
                    # What the clock skips does not come back as it was.
                    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None) and instant > after:
                        found.append(instant)
        day += timedelta(days=1)
    return sorted(found)[:count]


def ask_kelvin(kelvin, expressions, zone, after, count):
    asked = run(
        kelvin, "schedule", "next", *expressions, "--timezone", zone, "--after", f"{after:%Y-%m-%dT%H:%M:%SZ}", "--count",
        count, cwd=".")
    assert asked.returncode == 0, asked.stderr
    lines = asked.stdout.splitlines()
    assert len(lines) == len(expressions)
    return [[] if line.endswith(": never") else line.split(": ", 1)[1].split(", ") for line in lines]


@pytest.mark.parametrize("zone", ZONES)
def test_cron_agrees_with_a_model_in_python(kelvin, zone):
    random.seed(zone)
    after = datetime(2026, random.choice([3, 10]), random.randint(20, 28), 0, 13, 7, tzinfo=timezone.utc)
    cases = []
    for _ in range(60):
        minute, minutes = field([0, 15, 30, 59], 0, 59)
        hour, hours = field([0, 1, 2, 3, 23], 0, 23)
        month, months = field([1, 3, 4, 10, 11], 1, 12)
        dom, dow, is_day = day_rule()
        cases.append((f"cron({minute} {hour} {dom} {month} {dow} *)", minutes, hours, months, is_day))
    answers = ask_kelvin(kelvin, [case[0] for case in cases], zone, after, 5)
    for (expression, *parts), answer in zip(cases, answers):
        expected = [f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in model(*parts, ZoneInfo(zone), after, 5)]
        # The model looks nine years ahead.
        assert answer[:len(expected)] == expected, expression
        assert all(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ").tm_year >= 2035 for text in answer[len(expected):]), expression


def test_five_fields_agree_with_croniter(kelvin):
    random.seed(5)
    after = datetime(2026, 11, 30, 10, 0, 30, tzinfo=timezone.utc)
    expressions = []
    for _ in range(150):
        days = random.choice([("*", "*"), (field([1, 15, 31], 1, 28)[0], "*"), ("*", field([0, 1, 5], 0, 6)[0])])
        expressions.append(" ".join([
            field([0, 30], 0, 59)[0], field([0, 12], 0, 23)[0], days[0], field([2, 6], 1, 12)[0], days[1]]))
    for expression, answer in zip(expressions, ask_kelvin(kelvin, expressions, "UTC", after, 4)):
        following = croniter(expression, after)
        assert answer == [f"{following.get_next(datetime):%Y-%m-%dT%H:%M:%SZ}" for _ in range(4)], expression
