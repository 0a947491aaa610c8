#!/usr/bin/env python3
"""Finds what is wrong with an exposition for Prometheus, beyond what promtool finds.

    python exposition.py [--format auto|text|openmetrics|protobuf] FILE|URL [--previous FILE] [--same-as FILE|URL …]

It reads the text format 0.0.4, OpenMetrics 1.0 and protobuf (MetricFamily messages with their lengths in front), and prints a sentence
for each problem. `--previous` is an earlier exposition of the same program, of any format: no counter may have gone down or away since.
`--same-as` is the same exposition in another format, of a program that did nothing in between: names and numbers have to be equal,
except those of the process itself. A file may be compressed by gzip. Exit code: 0 without problems, 1 with some, 64 for wrong usage.

Standard library only, and nothing of Kelvin's own code.
"""
import argparse
import gzip
import itertools
import re
import sys
import time
import urllib.request

from exposition_model import Problems, nearly_equal, series
from exposition_protobuf import ProtobufReader
from exposition_text import TextReader

CONTENT_TYPES = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "protobuf": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
}
ACCEPT = {
    **{name: kind.replace("; charset=utf-8", "").replace("; ", ";") for name, kind in CONTENT_TYPES.items()},
    # As Prometheus 2.42 with native histograms asks.
    "auto": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
            "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
}
# They move while nothing happens, because asking is work, and each scrape is counted.
OF_THE_PROCESS = re.compile(r"process_.*|kelvin_last_checkpoint_.*|kelvin_checkpoints_total|kelvin_http_.*|kelvin_journal_.*")
# What ends the name of a sample that only goes up, by the kind of its family.
RISING = {"counter": ("",), "histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}


def format_of(data):
    """The format of bytes that come without a Content-Type."""
    if data.rstrip(b"\n").endswith(b"# EOF"):
        return "openmetrics"
    # A family of protobuf begins with its length, and that with its name: field 1, a length and letters.
    begins = re.match(rb"[\x80-\xff]{0,4}[\x00-\x7f]\n([\x01-\x7f])([a-zA-Z_:][a-zA-Z0-9_:]*)", data)
    return "protobuf" if begins and len(begins[2]) >= begins[1][0] else "text"


def families(data, kind, problems, now=None):
    """Reads families one after the other; `problems` is complete when all were read."""
    now = time.time() if now is None else now
    if kind == "auto":
        kind = format_of(data)
    if kind == "protobuf":
        return ProtobufReader(data, now, problems).families()
    return TextReader(data, kind == "openmetrics", now, problems).families()


def validate(data, kind="auto", previous=None, now=None):
    """All problems of one exposition, as sentences. `previous` is an earlier one, of any format."""
    problems = Problems()
    before = rising_samples(previous) if previous is not None else None
    for family in families(data, kind, problems, now):
        if before is not None:
            check_rising(family, before, problems)
    for (name, labels), value in (before or {}).items():
        problems.add(f"{series(name, labels)} was {value} before and is not there any more")
    return problems.list


def rising_samples(data):
    """What must not go down, of an exposition that was validated before."""
    rising = {}
    for family in families(data, "auto", Problems()):
        suffixes = RISING.get(family.kind, ())
        rising |= {key: value for key, value in family.samples.items() if key[0][len(family.name):] in suffixes}
    return rising


def check_rising(family, before, problems):
    for key, value in family.samples.items():
        earlier = before.pop(key, None)
        # Sums are read back through decimals or doubles, so the last digit may differ between formats.
        if earlier is not None and value < earlier and not nearly_equal(value, earlier):
            problems.add(f"{series(*key)} went down from {earlier} to {value}")


def differences(first, second, ignored=OF_THE_PROCESS):
    """What differs between two expositions of the same numbers: sentences. Each is (bytes, format)."""
    problems = Problems()
    compare([families(*first, Problems()), families(*second, Problems())], problems, ignored)
    return problems.list


def compare(readings, problems, ignored=OF_THE_PROCESS):
    """Compares several readings of the same numbers, family by family, so that none of them has to be in memory whole."""
    # What is ignored may also be absent: there is no last checkpoint before the first.
    known = [(family for family in reading if not ignored.fullmatch(family.name)) for reading in readings]
    for one, *others in itertools.zip_longest(*known):
        for other in others:
            if one is None or other is None or one.name != other.name:
                problems.add(f"{one and one.name} stands where {other and other.name} does")
                return
            compare_families(one, other, problems)


def compare_families(one, other, problems):
    if info_is_gauge(one.kind) != info_is_gauge(other.kind) or one.help != other.help:
        problems.add(f"{one.name} is {one.kind}, {one.help!r}, and {other.kind}, {other.help!r}")
    for key in one.samples.keys() | other.samples.keys():
        mine, theirs = one.samples.get(key), other.samples.get(key)
        if mine is None or theirs is None or not nearly_equal(mine, theirs):
            problems.add(f"{series(*key)} is {mine} and {theirs}")
    for key in one.exemplars.keys() & other.exemplars.keys():
        if one.exemplars[key].labels != other.exemplars[key].labels:
            problems.add(f"the exemplars of {series(*key)} are {one.exemplars[key]} and {other.exemplars[key]}")


def info_is_gauge(kind):
    """Only OpenMetrics has the kind info."""
    return {"info": "gauge", "unknown": "untyped"}.get(kind, kind)


def load(source, kind):
    """The bytes of a file or an address, their format, and what is wrong with how they came."""
    if not re.match(r"https?://", source):
        with sys.stdin.buffer if source == "-" else open(source, "rb") as file:
            data = file.read()
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        return data, format_of(data) if kind == "auto" else kind, []
    request = urllib.request.Request(source, headers={"Accept": ACCEPT[kind], "Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        data, content_type = answer.read(), answer.headers.get("Content-Type", "")
        if answer.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
    known = [name for name, known in CONTENT_TYPES.items() if known == content_type]
    if not known:
        return data, format_of(data), [f"Content-Type is {content_type!r}, which scrapers do not know"]
    if kind not in ("auto", known[0]):
        return data, known[0], [f"the answer is {known[0]}, and {kind} was asked for"]
    return data, known[0], []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="FILE|URL")
    parser.add_argument("--format", choices=["auto", *CONTENT_TYPES], default="auto")
    parser.add_argument("--previous", metavar="FILE")
    parser.add_argument("--same-as", metavar="FILE|URL", action="append", default=[])
    parser.exit = lambda status=0, message=None: leave(status, message)
    arguments = parser.parse_args()
    try:
        data, kind, problems = load(arguments.source, arguments.format)
        previous = load(arguments.previous, "auto")[0] if arguments.previous else None
        others = [(other, *load(other, "auto")[:2]) for other in arguments.same_as]
    except OSError as error:
        print(f"exposition.py: {error}", file=sys.stderr)
        return 1
    problems += validate(data, kind, previous)
    for name, *other in others:
        problems += [f"{name}: {problem}" for problem in differences((data, kind), other)]
    print("\n".join(problems) if problems else f"{kind}, {len(data)} bytes: nothing is wrong")
    return 1 if problems else 0


def leave(status, message):
    if message:
        print(message, end="", file=sys.stderr)
    sys.exit(64 if status == 2 else status)


if __name__ == "__main__":
    sys.exit(main())
