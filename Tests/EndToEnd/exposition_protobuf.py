"""Reads `io.prometheus.client.MetricFamily` messages by the rules of the wire alone, and says what is wrong with them."""
import math
import struct

from exposition_model import (
    LABEL_NAME, NAME, Exemplar, Family, Native, check_family, escaped, number_text, series,
)

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
KINDS = ["counter", "gauge", "summary", "untyped", "histogram", "gaugehistogram"]
# The field of Metric that has the value, by the kind of the family.
VALUE_FIELDS = {"counter": 3, "gauge": 2, "summary": 4, "untyped": 5, "histogram": 7, "gaugehistogram": 7}
SCHEMAS = range(-4, 9)
LENGTH_BYTES = 5


class WireError(Exception):
    """Bytes that are no message."""


def varint(data, position, end, most=10):
    """A number and where it ends."""
    value = shift = 0
    start = position
    while True:
        if position >= end:
            raise WireError("a number goes on behind the end")
        if position - start >= most:
            raise WireError(f"a number has more than {most} bytes")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7


def fields(data, position, end):
    """The fields of a message: number, type on the wire, and its number or where its bytes are."""
    while position < end:
        key, position = varint(data, position, end)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise WireError("a field has the number 0")
        if wire == VARINT:
            value, position = varint(data, position, end)
        elif wire in (FIXED64, FIXED32):
            value = (position, position + (8 if wire == FIXED64 else 4))
            position = value[1]
        elif wire == BYTES:
            length, position = varint(data, position, end, LENGTH_BYTES)
            value = (position, position + length)
            position += length
        else:
            raise WireError(f"field {number} has the type {wire}, which there is not")
        if position > end:
            raise WireError(f"field {number} goes on behind the end of its message")
        yield number, wire, value


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def zigzag(value):
    return (value >> 1) ^ -(value & 1)


class Message:
    """The fields of one message by their numbers, read as `layout` says: number → (name, type).

    Types are `varint`, `signed`, `zigzag`, `double`, `text`, `message`; a `+` in front says that there may be several.
    """

    def __init__(self, data, where, layout, what):
        self.data, self.what = data, what
        self.values = {}
        for number, wire, value in fields(data, *where):
            if number not in layout:
                raise WireError(f"{what} has a field {number}, which there is not")
            name, kind = layout[number]
            # Only numbers of which there may be several may be packed.
            is_packed = kind[0] == "+" and wire == BYTES
            read = self.read(kind.lstrip("+"), wire, value, name, is_packed)
            if kind[0] == "+":
                self.values.setdefault(name, []).extend(read)
            elif name in self.values:
                raise WireError(f"{what} has {name} twice")
            else:
                (self.values[name],) = read

    def read(self, kind, wire, value, name, is_packed):
        if kind in ("varint", "signed", "zigzag"):
            if is_packed:
                return [self.integer(kind, number) for number in self.packed(value)]
            self.expect(wire, VARINT, name)
            return [self.integer(kind, value)]
        if kind == "double":
            if is_packed:
                if (value[1] - value[0]) % 8:
                    raise WireError(f"{self.what} has a {name} whose bytes are not packed doubles")
                return [number for number, in struct.iter_unpack("<d", self.data[value[0]:value[1]])]
            self.expect(wire, FIXED64, name)
            return [struct.unpack_from("<d", self.data, value[0])[0]]
        self.expect(wire, BYTES, name)
        if kind == "message":
            return [value]
        try:
            return [self.data[value[0]:value[1]].decode("utf-8")]
        except UnicodeDecodeError:
            raise WireError(f"{self.what} has a {name} that is not UTF-8") from None

    def packed(self, where):
        position, end = where
        while position < end:
            value, position = varint(self.data, position, end)
            yield value

    def expect(self, wire, wanted, name):
        if wire != wanted:
            raise WireError(f"{self.what} has a {name} of type {wire} instead of {wanted}")

    @staticmethod
    def integer(kind, value):
        return {"varint": int, "signed": signed, "zigzag": zigzag}[kind](value)

    def __getitem__(self, name):
        return self.values.get(name)

    def get(self, name, otherwise):
        return self.values.get(name, otherwise)


FAMILY = {1: ("name", "text"), 2: ("help", "text"), 3: ("type", "varint"), 4: ("metric", "+message"), 5: ("unit", "text")}
METRIC = {
    1: ("label", "+message"), 2: ("gauge", "message"), 3: ("counter", "message"), 4: ("summary", "message"),
    5: ("untyped", "message"), 6: ("timestamp", "signed"), 7: ("histogram", "message"),
}
LABEL = {1: ("name", "text"), 2: ("value", "text")}
GAUGE = {1: ("value", "double")}
COUNTER = {1: ("value", "double"), 2: ("exemplar", "message"), 3: ("created", "message")}
SUMMARY = {1: ("count", "varint"), 2: ("sum", "double"), 3: ("quantile", "+message"), 4: ("created", "message")}
QUANTILE = {1: ("quantile", "double"), 2: ("value", "double")}
EXEMPLAR = {1: ("label", "+message"), 2: ("value", "double"), 3: ("time", "message")}
TIME = {1: ("seconds", "signed"), 2: ("nanos", "signed")}
BUCKET = {
    1: ("count", "varint"), 2: ("bound", "double"), 3: ("exemplar", "message"), 4: ("count_float", "double"),
}
SPAN = {1: ("offset", "zigzag"), 2: ("length", "varint")}
HISTOGRAM = {
    1: ("count", "varint"), 2: ("sum", "double"), 3: ("bucket", "+message"), 4: ("count_float", "double"),
    5: ("schema", "zigzag"), 6: ("zero_threshold", "double"), 7: ("zero_count", "varint"),
    8: ("zero_count_float", "double"), 9: ("negative_span", "+message"), 10: ("negative_delta", "+zigzag"),
    11: ("negative_count", "+double"), 12: ("positive_span", "+message"), 13: ("positive_delta", "+zigzag"),
    14: ("positive_count", "+double"), 15: ("created", "message"), 16: ("exemplar", "+message"),
}


class ProtobufReader:
    """Reads a whole exposition, family by family; `problems` is complete when all families were read."""

    def __init__(self, data, now, problems):
        self.data, self.now, self.problems = data, now, problems
        self.finished = set()

    def families(self):
        position = 0
        while position < len(self.data):
            try:
                length, start = varint(self.data, position, len(self.data), LENGTH_BYTES)
                if start + length > len(self.data):
                    raise WireError(f"a family of {length} bytes begins {len(self.data) - start} bytes before the end")
            except WireError as error:
                # Nothing says where the next would begin.
                self.problems.add(f"byte {position}: {error}")
                return
            try:
                yield self.read_family((start, start + length))
            except WireError as error:
                self.problems.add(f"the family from byte {start} cannot be read: {error}")
            position = start + length

    def message(self, where, layout, what):
        return Message(self.data, where, layout, what)

    def read_family(self, where):
        message = self.message(where, FAMILY, "a family")
        family = Family(message.get("name", ""), "untyped", message["help"], message.get("unit", ""))
        if message["type"] is None or message["type"] >= len(KINDS):
            # Without a type it would be a counter.
            self.problems.add(f"{family.name} has a TYPE that there is not: {message['type']}")
        else:
            family.kind = KINDS[message["type"]]
        if not NAME.fullmatch(family.name):
            self.problems.add(f"{family.name!r} is no name of a metric")
        if family.name in self.finished:
            self.problems.add(f"{family.name} comes in more than one piece")
        self.finished.add(family.name)
        if not message.get("metric", []):
            self.problems.add(f"{family.name} has no samples")
        seen = set()
        for metric in message.get("metric", []):
            self.read_metric(family, self.message(metric, METRIC, f"a metric of {family.name}"), seen)
        if family.native and len(family.native) < len(seen):
            self.problems.add(f"{family.name} has native histograms and others, of which the first decides for all")
        check_family(family, self.now, self.problems)
        return family

    def read_metric(self, family, metric, seen):
        labels = self.read_labels(metric, family.name)
        where = series(family.name, labels)
        if labels in seen:
            self.problems.add(f"{where} comes twice")
        seen.add(labels)
        given = [number for number, (name, _) in METRIC.items() if number in VALUE_FIELDS.values() and metric[name]]
        wanted = VALUE_FIELDS[family.kind]
        if given != [wanted]:
            self.problems.add(f"{where} is of kind {family.kind} and has the fields {given} of other kinds")
            return
        body = metric[METRIC[wanted][0]]
        if family.kind in ("gauge", "untyped"):
            family.samples[(family.name, labels)] = self.message(body, GAUGE, where).get("value", 0.0)
        elif family.kind == "counter":
            self.read_counter(family, labels, self.message(body, COUNTER, where))
        elif family.kind == "summary":
            self.read_summary(family, labels, self.message(body, SUMMARY, where))
        else:
            self.read_histogram(family, labels, self.message(body, HISTOGRAM, where), where)

    def read_labels(self, message, name):
        pairs = []
        for where in message.get("label", []):
            label = self.message(where, LABEL, f"a label of {name}")
            key, value = label.get("name", ""), label.get("value", "")
            if not LABEL_NAME.fullmatch(key) or key.startswith("__"):
                self.problems.add(f"{name} has a label that is no name: {key!r}")
            pairs.append((key, escaped(value)))
        if len({key for key, _ in pairs}) < len(pairs):
            self.problems.add(f"{name} has a label twice: {pairs}")
        return tuple(sorted(pair for pair in pairs if pair[1]))

    def read_time(self, where, what):
        time = self.message(where, TIME, what)
        if not 0 <= time.get("nanos", 0) < 1_000_000_000:
            self.problems.add(f"{what} has nanoseconds out of range: {time['nanos']}")
        return time.get("seconds", 0) + time.get("nanos", 0) / 1e9

    def read_exemplar(self, where, what):
        message = self.message(where, EXEMPLAR, f"an exemplar of {what}")
        time = message["time"]
        return Exemplar(
            self.read_labels(message, f"an exemplar of {what}"), message.get("value", 0.0),
            time and self.read_time(time, f"an exemplar of {what}"))

    def read_created(self, family, labels, message):
        if message["created"]:
            family.created[labels] = self.read_time(message["created"], series(family.name, labels))

    def read_counter(self, family, labels, counter):
        family.samples[(family.name, labels)] = counter.get("value", 0.0)
        self.read_created(family, labels, counter)
        if counter["exemplar"]:
            family.exemplars[(family.name, labels)] = self.read_exemplar(counter["exemplar"], series(family.name, labels))

    def read_summary(self, family, labels, summary):
        for where in summary.get("quantile", []):
            quantile = self.message(where, QUANTILE, f"a quantile of {family.name}")
            key = tuple(sorted((*labels, ("quantile", number_text(quantile.get("quantile", 0.0))))))
            family.samples[(family.name, key)] = quantile.get("value", 0.0)
        family.samples[(family.name + "_sum", labels)] = summary.get("sum", 0.0)
        family.samples[(family.name + "_count", labels)] = summary.get("count", 0)
        self.read_created(family, labels, summary)

    def read_histogram(self, family, labels, histogram, where):
        count = histogram["count_float"] or histogram.get("count", 0)
        self.read_created(family, labels, histogram)
        self.read_buckets(family, labels, histogram, where, count)
        family.samples[(family.name + "_sum", labels)] = histogram.get("sum", 0.0)
        family.samples[(family.name + "_count", labels)] = count
        is_native = any(
            histogram[name] is not None
            for name in ("schema", "zero_threshold", "zero_count", "positive_span", "negative_span", "positive_delta",
                         "negative_delta", "positive_count", "negative_count"))
        if is_native:
            family.native[labels] = self.read_native(histogram, where, count)
            check_native_against_classic(family, labels, where, self.problems)
        for position in histogram.get("exemplar", []):
            if self.read_exemplar(position, where).time is None:
                self.problems.add(f"{where} has a native exemplar without a time")

    def read_buckets(self, family, labels, histogram, where, count):
        has_infinity = False
        for position in histogram.get("bucket", []):
            bucket = self.message(position, BUCKET, f"a bucket of {where}")
            if bucket["bound"] is None:
                self.problems.add(f"{where} has a bucket without a bound")
                continue
            has_infinity = has_infinity or bucket["bound"] == math.inf
            key = (family.name + "_bucket", tuple(sorted((*labels, ("le", number_text(bucket["bound"]))))))
            if key in family.samples:
                self.problems.add(f"{series(*key)} comes twice")
            family.samples[key] = bucket["count_float"] or bucket.get("count", 0)
            if bucket["exemplar"]:
                family.exemplars[key] = self.read_exemplar(bucket["exemplar"], series(*key))
        if not has_infinity:
            # It may be left out here.
            family.samples[(family.name + "_bucket", tuple(sorted((*labels, ("le", "+Inf")))))] = count

    def read_native(self, histogram, where, count):
        schema = histogram.get("schema", 0)
        if schema not in SCHEMAS:
            self.problems.add(f"{where} has the schema {schema}")
        if not histogram.get("zero_threshold", 0.0) > 0:
            self.problems.add(f"{where} is native and has no zero_threshold, so that it may be taken for a classic one")
        zero = histogram["zero_count_float"] or histogram.get("zero_count", 0)
        native = Native(
            schema, histogram.get("zero_threshold", 0.0), zero, self.read_spans(histogram, "positive", where),
            self.read_spans(histogram, "negative", where))
        total = zero + sum(native.positive.values()) + sum(native.negative.values())
        # What is no number is counted, and in no bucket.
        if total > count or (total != count and not math.isnan(histogram.get("sum", 0.0))):
            self.problems.add(f"{where} has native buckets that add up to {total} instead of {count}")
        return native

    def read_spans(self, histogram, side, where):
        """The counts by index."""
        deltas, floats = histogram.get(f"{side}_delta", []), histogram.get(f"{side}_count", [])
        indices, next_index = [], None
        for position in histogram.get(f"{side}_span", []):
            span = self.message(position, SPAN, f"a span of {where}")
            offset, length = span.get("offset", 0), span.get("length", 0)
            if next_index is not None and offset < 0:
                self.problems.add(f"{where} has a {side} span that goes back by {-offset}")
            if next_index is not None and length == 0:
                self.problems.add(f"{where} has an empty {side} span")
            next_index = (next_index or 0) + offset
            indices += range(next_index, next_index + min(length, 1 << 20))
            next_index += length
        counts = floats
        if deltas:
            counts, now = [], 0
            for delta in deltas:
                now += delta
                counts.append(now)
        if len(indices) != len(counts):
            self.problems.add(f"{where} has {side} spans over {len(indices)} buckets, and {len(counts)} counts")
        if any(count < 0 for count in counts):
            self.problems.add(f"{where} has {side} buckets with counts below 0: {counts}")
        return dict(zip(indices, counts))


def bound_of(schema, index):
    """The upper bound of a bucket, included."""
    try:
        return math.ldexp(2 ** ((index % (1 << schema)) / (1 << schema)), index >> schema) if schema > 0 else (
            math.ldexp(1.0, index << -schema))
    except OverflowError:
        return math.inf


def check_native_against_classic(family, labels, where, problems):
    """A classic bucket has no fewer than the native ones that lie in it whole, and no more than those that begin in it."""
    native = family.native[labels]
    if native.negative:
        return
    cells = sorted(native.positive.items())
    bounds = [(bound_of(native.schema, index - 1), bound_of(native.schema, index), count) for index, count in cells]
    prefix = family.name + "_bucket"
    for bucket, other in classic_buckets(family, prefix, labels):
        # Bounds that both have may differ in the last digit.
        least = sum(count for _, upper, count in bounds if upper <= bucket * (1 - 1e-12)) + native.zero_count
        most = sum(count for lower, _, count in bounds if lower < bucket * (1 + 1e-12)) + native.zero_count
        if bucket > 0 and not least <= other <= most:
            problems.add(
                f"{where} has {other} up to {number_text(bucket)} in classic buckets, in native ones {least} to {most}")
            return


def classic_buckets(family, name, labels):
    """Bounds and counts of the histogram that was read last."""
    for (sample, other), count in reversed(family.samples.items()):
        if sample != name:
            continue
        if tuple(pair for pair in other if pair[0] != "le") != labels:
            return
        bound = dict(other)["le"]
        if bound != "+Inf":
            yield float(bound), count
