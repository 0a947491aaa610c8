"""What an exposition says, whatever its format: families with samples, and what is wrong with them."""
import functools
import math
import re
import struct
from dataclasses import dataclass, field

KINDS_WITH_BUCKETS = ("histogram", "gaugehistogram")
EXEMPLAR_CODE_POINTS = 128
# Clocks of two machines may differ by so much.
FUTURE_SECONDS = 5
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass
class Exemplar:
    labels: tuple
    value: float
    time: float | None


@dataclass
class Family:
    """`name` is that of text 0.0.4, so with `_total` and `_info`. Labels are pairs of a name and an escaped value, sorted."""
    name: str
    kind: str | None = None
    help: str | None = None
    unit: str = ""
    # By (name of the sample, labels).
    samples: dict = field(default_factory=dict)
    exemplars: dict = field(default_factory=dict)
    # By labels: seconds since the epoch.
    created: dict = field(default_factory=dict)
    # By labels, of protobuf only.
    native: dict = field(default_factory=dict)


@dataclass
class Native:
    """A native histogram: `positive` and `negative` are counts by index of a bucket."""
    schema: int
    zero_threshold: float
    zero_count: int
    positive: dict
    negative: dict


class Problems:
    """Sentences about what is wrong; of many equal ones the first few."""

    LIMIT = 100

    def __init__(self):
        self.list = []
        self.count = 0

    def add(self, sentence):
        self.count += 1
        if self.count <= self.LIMIT:
            self.list.append(sentence)


def escaped(value):
    """The value of a label as both text formats write it."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


def unescaped(text, allowed='\\"n'):
    """- Returns: the text, and the escapes in it that mean nothing."""
    if "\\" not in text:
        return text, []
    wrong = [match for match in ESCAPE.findall(text) if match == "" or match not in allowed]
    return ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text), wrong


def series(name, labels):
    """A series as people write it."""
    return name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels) + "}" if labels else "")


@functools.lru_cache(maxsize=4096)
def number_text(value):
    """A number as Go writes it with %g, and with `.0` where that has neither a point nor an exponent: the text of `le`."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    # The fewest digits that read back as the same number.
    for precision in range(17):
        mantissa, _, exponent = f"{value:.{precision}e}".partition("e")
        if float(f"{mantissa}e{exponent}") == value:
            break
    if int(exponent) < -4 or int(exponent) >= 6:
        return f"{mantissa}e{exponent}"
    plain = f"{value:.{max(0, len(mantissa.partition('.')[2]) - int(exponent))}f}"
    return plain if "." in plain else plain + ".0"


def nearly_equal(first, second):
    """Equal, or neighbours among doubles: a decimal number with more digits than a double has may be rounded twice."""
    if first == second or (first != first and second != second):
        return True
    if math.isinf(first) or math.isinf(second) or first != first or second != second:
        return False
    bits = [struct.unpack("<q", struct.pack("<d", number))[0] for number in (first, second)]
    return abs(bits[0] - bits[1]) <= 1


def check_family(family, now, problems):
    """What holds in every format."""
    if family.help is None:
        problems.add(f"{family.name} has no HELP")
    if family.kind is None:
        problems.add(f"{family.name} has no TYPE")
    if family.unit and not base_name(family).endswith("_" + family.unit):
        problems.add(f"{family.name} does not end with its unit {family.unit}")
    if family.kind == "counter":
        check_counters(family, problems)
    if family.kind in KINDS_WITH_BUCKETS:
        check_histograms(family, problems)
    if family.kind == "summary":
        check_summaries(family, problems)
    for labels, created in family.created.items():
        if not 0 < created <= now + FUTURE_SECONDS:
            problems.add(f"{series(family.name, labels)} was created at {created}, which is no time of the past")
    check_exemplars(family, now, problems)


def base_name(family):
    """What OpenMetrics calls the family."""
    if family.kind == "counter":
        return family.name.removesuffix("_total")
    return family.name.removesuffix("_info") if family.kind == "info" else family.name


def check_counters(family, problems):
    for (name, labels), value in family.samples.items():
        if not value >= 0:
            problems.add(f"{series(name, labels)} is a counter and {value}")


def check_exemplars(family, now, problems):
    buckets = {}
    for (name, labels), exemplar in family.exemplars.items():
        where = series(name, labels)
        length = sum(len(key) + len(unescaped(value)[0]) for key, value in exemplar.labels)
        if length > EXEMPLAR_CODE_POINTS:
            problems.add(f"the exemplar of {where} has labels of {length} code points")
        if not (family.kind == "counter" or (family.kind in KINDS_WITH_BUCKETS and name.endswith("_bucket"))):
            problems.add(f"{where} has an exemplar, and may have none")
        if exemplar.time is not None and exemplar.time > now + FUTURE_SECONDS:
            problems.add(f"the exemplar of {where} is of the future: {exemplar.time}")
        if family.kind in KINDS_WITH_BUCKETS:
            check_exemplar_of_bucket(family, name, labels, exemplar, buckets, problems)


def check_exemplar_of_bucket(family, name, labels, exemplar, buckets, problems):
    if not buckets:
        # By all labels but `le`: the bounds.
        for sample, other in family.samples:
            bound = number(dict(other).get("le"))
            if sample.endswith("_bucket") and bound is not None:
                buckets.setdefault(without(other, "le"), []).append(bound)
    bound = number(dict(labels).get("le"))
    if bound is None:
        return
    before = max((other for other in buckets.get(without(labels, "le"), ()) if other < bound), default=-math.inf)
    if not before < exemplar.value <= bound:
        problems.add(f"the exemplar of {series(name, labels)} is {exemplar.value}, which belongs into another bucket")
    if family.samples.get((name, labels), 1) == 0:
        problems.add(f"{series(name, labels)} is 0 and has an exemplar")


def without(labels, name):
    return tuple(pair for pair in labels if pair[0] != name)


@functools.lru_cache(maxsize=4096)
def number(text):
    """A number of either text format; `None` for what is none."""
    if text is None or not NUMBER.fullmatch(text):
        return None
    return float(text)


NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN])")


def check_histograms(family, problems):
    parts = {"_bucket": {}, "_count": {}, "_sum": {}}
    suffixes = {"_gcount": "_count", "_gsum": "_sum"}
    for (name, labels), value in family.samples.items():
        suffix = name[len(family.name):]
        suffix = suffixes.get(suffix, suffix)
        if suffix == "_bucket":
            parts["_bucket"].setdefault(without(labels, "le"), []).append((dict(labels).get("le"), value))
        elif suffix in parts:
            parts[suffix][labels] = value
    for labels in {**parts["_bucket"], **parts["_count"], **parts["_sum"]}:
        problem = histogram_problem(
            parts["_bucket"].get(labels, []), parts["_count"].get(labels), parts["_sum"].get(labels),
            family.kind == "histogram")
        if problem:
            problems.add(f"{series(family.name, labels)} {problem}")


def histogram_problem(buckets, count, total, is_counting):
    """The first thing that is wrong with one histogram."""
    bounds = [number(text) for text, _ in buckets]
    if None in bounds:
        return f"has a bucket whose le is no number: {buckets[bounds.index(None)][0]!r}"
    if any(not first < second for first, second in zip(bounds, bounds[1:])):
        return f"has buckets whose bounds do not go up: {bounds}"
    if not bounds or bounds[-1] != math.inf:
        return "has no bucket +Inf"
    counts = [value for _, value in buckets]
    if any(not first <= second for first, second in zip(counts, counts[1:])):
        return f"has buckets that are not cumulative: {counts}"
    if not all(value >= 0 and value == math.floor(value) for value in counts):
        return f"has counts that are no whole numbers: {counts}"
    if count is None or (total is None and bounds[0] >= 0):
        return "has no count" if count is None else "has no sum"
    if count != counts[-1]:
        return f"has a count of {count} and a bucket +Inf of {counts[-1]}"
    if is_counting and total is not None:
        if bounds[0] < 0:
            return "has a negative bound and a sum, which is then no counter"
        if total < 0:
            return f"has a sum of {total}"
        if count == 0 and total != 0:
            return f"has a sum of {total} of nothing"
    return None


def check_summaries(family, problems):
    for (name, labels), value in family.samples.items():
        share = dict(labels).get("quantile")
        if name == family.name and not (number(share) is not None and 0 <= number(share) <= 1):
            problems.add(f"{series(name, labels)} has no quantile from 0 to 1")
        if name != family.name and not value >= 0:
            problems.add(f"{series(name, labels)} counts and is {value}")
