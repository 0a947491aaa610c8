"""The validator of expositions refuses what is wrong, rule by rule, and nothing else."""
import gzip
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exposition import differences, families, format_of, validate
from exposition_model import Problems, number_text
from exposition_protobuf import bound_of

NOW = 1_800_000_000


def refused(data, kind, sentence, **options):
    problems = validate(data.encode() if isinstance(data, str) else data, kind, now=NOW, **options)
    assert any(sentence in problem for problem in problems), f"{sentence!r} is not among {problems}"


# Text

HEAD = "# HELP a_total A.\n# TYPE a_total counter\n"
HISTOGRAM = """# HELP h H.
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 3
h_sum 4.5
h_count 3
"""
GOOD_TEXT = HEAD + 'a_total{f="x\\\\y\\"z\\n"} 1\na_total{f="ü"} 2 1700000000000\n' + HISTOGRAM

BROKEN_TEXT = [
    (HEAD + 'a_total{f="x"} 1\na_total{f="x"} 1\n', "comes twice"),
    (HEAD + 'a_total{f="x",g="y"} 1\na_total{g="y",f="x"} 1\n', "comes twice"),
    (HEAD + 'a_total{f="x",f="y"} 1\n', "has a label twice"),
    (HEAD + "a_total 1\n# HELP b B.\n# TYPE b gauge\nb 1\na_total{f=\"x\"} 1\n", "more than one piece"),
    (HEAD + "# HELP b B.\n# TYPE b gauge\nb 1\n", "a_total has no samples"),
    ("# TYPE a_total counter\na_total 1\n", "has no HELP"),
    ("# HELP a_total A.\na_total 1\n", "has no TYPE"),
    ("a_total 1\n", "has no TYPE"),
    (HEAD + "# TYPE a_total counter\na_total 1\n", "has TYPE twice"),
    (HEAD + "a_total 1\n# HELP a_total A.\n", "HELP of a_total comes behind its samples"),
    ("# HELP a A.\n# TYPE a info\na 1\n", "TYPE that there is not"),
    (HEAD + "a_total 1", "does not end with a line feed"),
    (HEAD + "a_total 1\r\n", "ends with a carriage return"),
    ("\ufeff" + HEAD + "a_total 1\n", "byte order mark"),
    (HEAD.encode() + b'a_total{f="\xff"} 1\n', "not UTF-8"),
    (HEAD + 'a_total{f="\\t"} 1\n', "escapes that mean nothing"),
    ('# HELP a_total \\"A\\".\n# TYPE a_total counter\na_total 1\n', "escapes that mean nothing"),
    (HEAD + 'a_total{f="x} 1\n', "is no sample"),
    (HEAD + 'a_total{f="x"g="y"} 1\n', "labels that cannot be read"),
    (HEAD + 'a_total{f=x} 1\n', "labels that cannot be read"),
    (HEAD + 'a_total{f="x",,} 1\n', "labels that cannot be read"),
    (HEAD + 'a_total{f-g="x"} 1\n', "no name of a label"),
    (HEAD + 'a_total{__f="x"} 1\n', "no name of a label"),
    ("# HELP a-b A.\n# TYPE a-b gauge\na-b 1\n", "no name of a metric"),
    (HEAD + "a_total 0x1p3\n", "no number"),
    (HEAD + "a_total 1_000\n", "no number"),
    (HEAD + "a_total inf inity\n", "a time that is none"),
    (HEAD + "a_total 1 1.5\n", "a time that is none"),
    (HEAD + "a_total -1\n", "is a counter and -1"),
    (HEAD + "a_total NaN\n", "is a counter and nan"),
    (HEAD + 'a_total 1 # {request_id="x"} 1\n', "exemplar"),
    (HEAD + 'a_total{le="1"} 1\n', "has le and is no bucket"),
    (HISTOGRAM.replace('h_bucket{le="+Inf"} 3\n', ""), "no bucket +Inf"),
    (HISTOGRAM.replace('"0.5"} 1', '"0.5"} 4'), "not cumulative"),
    (HISTOGRAM.replace("h_count 3", "h_count 4"), "a count of 4.0 and a bucket +Inf of 3.0"),
    (HISTOGRAM.replace("h_count 3\n", ""), "has no count"),
    (HISTOGRAM.replace("h_sum 4.5\n", ""), "has no sum"),
    (HISTOGRAM.replace("h_sum 4.5", "h_sum -4.5"), "a sum of -4.5"),
    (HISTOGRAM.replace("0.5", "half"), "le is no number"),
    (HISTOGRAM.replace('"0.5"} 1', '"0.5"} 0.5'), "no whole numbers"),
    (HISTOGRAM.replace('h_bucket{le="0.5"} 1\n', 'h_bucket{le="2"} 1\nh_bucket{le="0.5"} 1\n'), "do not go up"),
    (HISTOGRAM.replace('h_bucket{le="0.5"} 1\n', 'h_bucket{le="0.5"} 1\nh_bucket{le="0.50"} 1\n'), "do not go up"),
    (HISTOGRAM.replace("h_sum 4.5\nh_count 3", "h_sum 1\nh_count 0").replace("} 1", "} 0").replace("} 3", "} 0"),
     "of nothing"),
    ("# HELP s S.\n# TYPE s summary\ns{quantile=\"2\"} 1\ns_sum 1\ns_count 1\n", "no quantile from 0 to 1"),
]


def test_good_text_is_accepted():
    assert validate(GOOD_TEXT.encode(), "text", now=NOW) == []
    assert validate(b"", "text", now=NOW) == []
    (first, second) = families(GOOD_TEXT.encode(), "text", Problems(), NOW)
    assert first.samples == {
        ("a_total", (("f", 'x\\\\y\\"z\\n'),)): 1, ("a_total", (("f", "ü"),)): 2}
    assert second.samples[("h_bucket", (("le", "+Inf"),))] == 3
    # Blank lines, comments, blanks between tokens and a comma at the end are allowed.
    loose = '\n# a comment\n# EOF\n# HELP a A.\n# TYPE a gauge\na{ f="x} #" , }\t 1  \n'
    assert validate(loose.encode(), "text", now=NOW) == []


@pytest.mark.parametrize("data,sentence", BROKEN_TEXT)
def test_broken_text_is_refused(data, sentence):
    refused(data, "text", sentence)


# OpenMetrics

OM_HEAD = "# TYPE a counter\n# HELP a A.\n"
OM_HISTOGRAM = """# TYPE h_seconds histogram
# UNIT h_seconds seconds
# HELP h_seconds H.
h_seconds_bucket{le="0.5"} 1 # {request_id="x"} 0.25 1700000000.5
h_seconds_bucket{le="+Inf"} 3 # {} 4
h_seconds_sum 4.5
h_seconds_count 3
h_seconds_created 1700000000
"""
GOOD_OM = (
    OM_HEAD + 'a_total{f="1"} 1\na_created{f="1"} 1700000000.25\na_total{f="2"} 1 # {t="x"} 1\n' + OM_HISTOGRAM
    + '# TYPE b info\n# HELP b B \\"b\\".\nb_info{v="1"} 1\n# TYPE c stateset\n# HELP c C.\nc{c="on"} 1\nc{c="off"} 0\n# EOF\n')

BROKEN_OM = [
    (OM_HEAD + "a_total 1\n", "does not end with # EOF"),
    ("", "does not end with # EOF"),
    (OM_HEAD + "a_total 1\n# EOF\n\n", "behind # EOF"),
    (OM_HEAD + "a_total 1\n# EOF\n# EOF\n", "behind # EOF"),
    (OM_HEAD + "\na_total 1\n# EOF\n", "empty or a comment"),
    (OM_HEAD + "# a comment\na_total 1\n# EOF\n", "empty or a comment"),
    (OM_HEAD + "a_total  1\n# EOF\n", "is no sample"),
    (OM_HEAD + "a_total\t1\n# EOF\n", "is no sample"),
    (OM_HEAD + 'a_total{f="x",} 1\n# EOF\n', "labels that cannot be read"),
    (OM_HEAD + 'a_total{f="x", g="y"} 1\n# EOF\n', "no name of a label"),
    ("# TYPE a_total counter\n# HELP a_total A.\na_total 1\n# EOF\n", "is no sample of a_total"),
    (OM_HEAD + "a 1\n# EOF\n", "is no sample of a,"),
    ("# TYPE a untyped\n# HELP a A.\na 1\n# EOF\n", "TYPE that there is not"),
    (OM_HEAD + 'a_total{f="1"} 1\na_total{f="2"} 1\na_created{f="1"} 1\n# EOF\n', "more than one piece"),
    (OM_HEAD + "a_total 1\na_created 1800000100\n# EOF\n", "no time of the past"),
    (OM_HEAD + "a_total 1 1e3\na_created 0\n# EOF\n", "no time of the past"),
    (OM_HEAD + "# UNIT a seconds\na_total 1\n# EOF\n", "does not end with its unit"),
    ("# TYPE b_s info\n# UNIT b_s s\n# HELP b_s B.\nb_s_info 1\n# EOF\n", "of kind info and has a unit"),
    ("# TYPE b info\n# HELP b B.\nb_info 2\n# EOF\n", "of kind info and not 1"),
    ("# TYPE c stateset\n# HELP c C.\nc{c=\"on\"} 2\n# EOF\n", "no state of a stateset"),
    ("# TYPE c stateset\n# HELP c C.\nc{d=\"on\"} 1\n# EOF\n", "no state of a stateset"),
    ("# TYPE g gauge\n# HELP g G.\ng 1 # {t=\"x\"} 1\n# EOF\n", "may have none"),
    (OM_HISTOGRAM.replace("h_seconds_count 3", 'h_seconds_count 3 # {t="x"} 1') + "# EOF\n", "may have none"),
    (OM_HEAD + "a_total 1 # {t=\"" + "x" * 128 + "\"} 1\n# EOF\n", "labels of 129 code points"),
    (OM_HEAD + "a_total 1 # t 1\n# EOF\n", "exemplar that cannot be read"),
    (OM_HEAD + 'a_total 1 # {t="x"}\n# EOF\n', "exemplar that cannot be read"),
    (OM_HEAD + 'a_total 1 # {t="x"} 1 soon\n# EOF\n', "exemplar that cannot be read"),
    (OM_HEAD + 'a_total 1 # {t="x"} 1 1800000100\n# EOF\n', "of the future"),
    (OM_HISTOGRAM.replace("0.25", "0.75") + "# EOF\n", "belongs into another bucket"),
    (OM_HISTOGRAM.replace("} 4\n", "} 0.1\n") + "# EOF\n", "belongs into another bucket"),
    (OM_HISTOGRAM.replace('"0.5"} 1', '"0.5"} 0') + "# EOF\n", "is 0 and has an exemplar"),
    (OM_HISTOGRAM.replace('"0.5"', '".5"') + "# EOF\n", "not written as 0.5"),
    (OM_HISTOGRAM.replace('"0.5"', '"1000000.0"').replace(" # {} 4", "").replace("0.25", "7") + "# EOF\n",
     "not written as 1e+06"),
    (OM_HISTOGRAM.replace('"0.5"', '"-0.5"').replace("0.25", "-1") + "# EOF\n", "a negative bound and a sum"),
    (OM_HISTOGRAM.replace('h_seconds_bucket{le="+Inf"} 3 # {} 4\n', "") + "# EOF\n", "no bucket +Inf"),
    ("# TYPE a counter\n# HELP a A.\na_total 1\n# TYPE a_total gauge\n# HELP a_total A.\na_total 1\n# EOF\n",
     "a_total is named as a sample of a"),
    ("# TYPE a counter\n# HELP a A.\na_total 1\n# TYPE a_created gauge\n# HELP a_created A.\na_created 1\n# EOF\n",
     "a_created is named as a sample of a"),
    ('# TYPE a gauge\n# HELP a \\t.\na 1\n# EOF\n', "escapes that mean nothing"),
]


def test_good_openmetrics_is_accepted():
    assert validate(GOOD_OM.encode(), "openmetrics", now=NOW) == []
    assert validate(b"# EOF\n", "openmetrics", now=NOW) == []
    assert list(text_string_to_metric_families(GOOD_OM)), "the strict parser of prometheus_client accepts it, too"


@pytest.mark.parametrize("data,sentence", BROKEN_OM)
def test_broken_openmetrics_is_refused(data, sentence):
    refused(data, "openmetrics", sentence)


# Protobuf, written here byte by byte.

def varint(value):
    value &= 0xFFFF_FFFF_FFFF_FFFF
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(result + bytes([value]))


def field(number, value):
    """Bytes and texts have their length in front, floats are doubles, integers varints."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3) + varint(value)


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def framed(*parts):
    body = b"".join(parts)
    return varint(len(body)) + body


def label(name, value):
    return field(1, field(1, name) + field(2, value))


def moment(seconds, nanos=0):
    return field(1, seconds) + field(2, nanos)


def family(name, kind, *metrics, extra=b""):
    return framed(
        field(1, name), field(2, name.upper()), field(3, kind), *(field(4, metric) for metric in metrics), extra)


def counter(value, *more):
    return field(3, field(1, value) + b"".join(more))


def exemplar(value, *more, key="request_id", text="x"):
    return label(key, text) + field(2, value) + b"".join(more)


def bucket(count, bound, *more):
    return field(3, field(1, count) + field(2, bound) + b"".join(more))


def span(number, offset, length):
    return field(number, field(1, zigzag(offset)) + field(2, length))


def spans(*pairs):
    return b"".join(span(12, *pair) for pair in pairs)


def deltas(*values, packed=False):
    if packed:
        return field(13, b"".join(varint(zigzag(value)) for value in values))
    return b"".join(field(13, zigzag(value)) for value in values)


ZERO = field(5, zigzag(3)) + field(6, 2.0 ** -128)
# 0.3 is in bucket −13 of schema 3, 1 in 0, 3 in 13.
CELLS = spans((-13, 1), (12, 1), (12, 1)) + deltas(1, 0, 0)


def histogram(*more, count=3, total=4.3, labels=b""):
    return labels + field(7, field(1, count) + field(2, total) + b"".join(more))


CLASSIC = bucket(1, 0.5) + bucket(2, 2.5)
GOOD_PROTOBUF = (
    family("a_total", 0, label("f", 'x\\"\nü') + counter(1.0, field(2, exemplar(1.0)), field(3, moment(1700000000, 5))))
    + family("g", 1, field(2, field(1, -1.5)), extra=field(5, ""))
    + family("h", 4, histogram(CLASSIC, ZERO, CELLS, field(15, moment(1700000000)),
                               field(16, exemplar(1.0, field(3, moment(1700000000))))))
    + family("s", 2, field(4, field(1, 2) + field(2, 3.0) + field(3, field(1, 0.5) + field(2, 1.0))))
    + family("u", 3, field(5, field(1, 2.0))))

BROKEN_PROTOBUF = [
    (GOOD_PROTOBUF[:-1], "before the end"),
    (b"\xff" * 6 + b"\x01", "more than 5 bytes"),
    (b"\x80", "goes on behind the end"),
    (family("g", 1, field(2, field(1, 1.0)))[:1] + b"\x0a\x7f" + b"g" * 40, "cannot be read"),
    (family("g", 1, field(2, field(1, 1.0)), extra=field(9, 1)), "a field 9, which there is not"),
    (family("g", 1, field(2, field(1, 1))), "of type 0 instead of 1"),
    (family("g", 1, field(2, field(1, 1.0) + field(1, 1.0))), "has value twice"),
    (family("g", 1, field(2, field(1, 1.0)), extra=b"\x0b"), "has the type 3"),
    (family("g", 1, label("f", b"\xff") + field(2, field(1, 1.0))), "not UTF-8"),
    (family("g", 1, label("__f", "x") + field(2, field(1, 1.0))), "label that is no name"),
    (family("g", 1, label("f", "x") + label("f", "y") + field(2, field(1, 1.0))), "has a label twice"),
    (family("g-h", 1, field(2, field(1, 1.0))), "no name of a metric"),
    (family("g", 1, field(2, field(1, 1.0)), field(2, field(1, 1.0))), "comes twice"),
    (family("g", 1), "no samples"),
    (family("g", 9, field(2, field(1, 1.0))), "TYPE that there is not"),
    (framed(field(1, "g"), field(2, "G"), field(4, field(3, field(1, 1.0)))), "TYPE that there is not"),
    (framed(field(1, "g"), field(3, 1), field(4, field(2, field(1, 1.0)))), "has no HELP"),
    (family("g", 1, field(2, field(1, 1.0)), extra=field(5, "seconds")), "does not end with its unit"),
    (2 * family("g", 1, field(2, field(1, 1.0))), "more than one piece"),
    (family("g", 1, counter(1.0)), "fields [3] of other kinds"),
    (family("a_total", 0, counter(-1.0)), "is a counter and -1"),
    (family("a_total", 0, counter(1.0, field(3, moment(1800000100)))), "no time of the past"),
    (family("a_total", 0, counter(1.0, field(3, moment(1, 1_000_000_000)))), "nanoseconds out of range"),
    (family("a_total", 0, counter(1.0, field(2, exemplar(1.0, text="x" * 119)))), "labels of 129 code points"),
    (family("h", 4, histogram(bucket(2, 0.5), bucket(1, 2.5))), "not cumulative"),
    (family("h", 4, histogram(bucket(2, 0.5), bucket(4, 2.5))), "not cumulative"),
    (family("h", 4, histogram(CLASSIC, bucket(2, float("inf")))), "a count of 3 and a bucket +Inf of 2"),
    (family("h", 4, histogram(bucket(1, 2.5), bucket(2, 0.5))), "do not go up"),
    (family("h", 4, histogram(bucket(1, 0.5), bucket(2, 0.5))), "comes twice"),
    (family("h", 4, histogram(field(3, field(1, 1)))), "without a bound"),
    (family("h", 4, histogram(bucket(1, 0.5, field(3, exemplar(0.75))))), "belongs into another bucket"),
    (family("h", 4, histogram(CELLS, field(5, zigzag(3)))), "has no zero_threshold"),
    (family("h", 4, histogram(CELLS, field(5, zigzag(9)), field(6, 1e-9))), "has the schema 9"),
    (family("h", 4, histogram(ZERO, CELLS, count=4)), "add up to 3 instead of 4"),
    (family("h", 4, histogram(ZERO, CELLS, field(7, 1))), "add up to 4 instead of 3"),
    (family("h", 4, histogram(ZERO, spans((-13, 2), (12, 1)) + deltas(1, 0))), "spans over 3 buckets, and 2 counts"),
    (family("h", 4, histogram(ZERO, spans((-13, 2)) + deltas(1, 0, 0))), "spans over 2 buckets, and 3 counts"),
    (family("h", 4, histogram(ZERO, spans((-13, 1), (-1, 2)) + deltas(1, 0, 0))), "goes back by 1"),
    (family("h", 4, histogram(ZERO, spans((-13, 1), (3, 0), (2, 2)) + deltas(1, 0, 0))), "an empty positive span"),
    (family("h", 4, histogram(ZERO, spans((-13, 3)) + deltas(4, -5, 2))), "counts below 0"),
    (family("h", 4, histogram(CLASSIC, ZERO, spans((0, 3)) + deltas(1, 0, 0))), "up to 2.5 in classic buckets, in native ones 3 to 3"),
    (family("h", 4, histogram(CLASSIC, ZERO, CELLS, field(16, exemplar(1.0)))), "native exemplar without a time"),
    (family("h", 4, histogram(CLASSIC, ZERO, CELLS), histogram(CLASSIC, labels=label("f", "x"))),
     "the first decides for all"),
]


def test_good_protobuf_is_accepted():
    assert validate(GOOD_PROTOBUF, "protobuf", now=NOW) == []
    assert validate(b"", "protobuf", now=NOW) == []
    read = {family.name: family for family in families(GOOD_PROTOBUF, "protobuf", Problems(), NOW)}
    assert read["a_total"].samples == {("a_total", (("f", 'x\\\\\\"\\nü'),)): 1}
    assert list(read["a_total"].created.values()) == [1700000000 + 5e-9]
    assert read["g"].samples == {("g", ()): -1.5}
    assert read["h"].samples[("h_bucket", (("le", "+Inf"),))] == 3
    assert read["h"].native[()].positive == {-13: 1, 0: 1, 13: 1}


def test_the_example_of_the_specification():
    """Counts −2:3 −1:5 2:1 4:3 5:2, with and without an explicit zero, packed or not."""
    expected = {-2: 3, -1: 5, 2: 1, 4: 3, 5: 2}
    for packed in (False, True):
        for cells, empty in [
            (spans((-2, 2), (2, 1), (1, 2)) + deltas(3, 2, -4, 2, -1, packed=packed), {}),
            (spans((-2, 2), (2, 4)) + deltas(3, 2, -4, -1, 3, -1, packed=packed), {3: 0}),
        ]:
            data = family("h", 4, histogram(ZERO, cells, count=14))
            problems = Problems()
            (read,) = families(data, "protobuf", problems, NOW)
            assert read.native[()].positive == expected | empty
            assert problems.list == []


@pytest.mark.parametrize("data,sentence", BROKEN_PROTOBUF)
def test_broken_protobuf_is_refused(data, sentence):
    refused(data, "protobuf", sentence)


def test_bounds_of_native_buckets():
    assert [bound_of(0, index) for index in (-1, 0, 1, 10)] == [0.5, 1, 2, 1024]
    assert [bound_of(3, index) for index in (-8, 0, 8, 16)] == [0.5, 1, 2, 4]
    assert bound_of(-1, 2) == 16
    assert bound_of(3, 1) == pytest.approx(1.0905077)


# More than one exposition

def test_a_counter_that_went_down_is_refused():
    before = (HEAD + "a_total 5\n" + HISTOGRAM).encode()
    refused(HEAD + "a_total 4\n" + HISTOGRAM, "text", "went down from 5.0 to 4.0", previous=before)
    refused(
        HEAD + "a_total 5\n" + HISTOGRAM.replace("0.5\"} 1", "0.5\"} 0"), "text", "went down from 1.0 to 0.0",
        previous=before)
    refused(HISTOGRAM, "text", "is not there any more", previous=before)
    # Of whatever format.
    refused(family("a_total", 0, counter(4.0)) + b"", "protobuf", "went down", previous=before)
    assert validate(before, "text", before, now=NOW) == []
    gauge = "# HELP g G.\n# TYPE g gauge\ng 5\n"
    assert validate(gauge.replace("5", "4").encode(), "text", gauge.encode(), now=NOW) == []


def test_formats_that_differ_are_refused():
    text = (HEAD + 'a_total{f="x"} 1\n').encode()
    openmetrics = b'# TYPE a counter\n# HELP a A.\na_total{f="x"} 1.0\n# EOF\n'
    assert differences((text, "text"), (openmetrics, "openmetrics")) == []
    for wrong, sentence in [
        (openmetrics.replace(b"1.0", b"1.5"), "is 1.0 and 1.5"),
        (openmetrics.replace(b'"x"', b'"y"'), "and None"),
        (openmetrics.replace(b"HELP a A", b"HELP a B"), "'B.'"),
        (openmetrics.replace(b"a_total", b"b_total").replace(b" a ", b" b "), "stands where"),
        (b"# EOF\n", "stands where None does"),
    ]:
        assert any(sentence in problem for problem in differences((text, "text"), (wrong, "openmetrics")))
    checkpoint = b"# HELP kelvin_last_checkpoint_timestamp_seconds A.\n# TYPE kelvin_last_checkpoint_timestamp_seconds gauge\n"
    checkpoint += b"kelvin_last_checkpoint_timestamp_seconds 1\n"
    assert differences((text, "text"), (checkpoint + text, "text")) == [], "it is absent before the first checkpoint"
    plain = HISTOGRAM.replace('"0.5"', '"1"').encode()
    assert any('le="1"' in problem for problem in differences(
        (plain, "text"), (plain.replace(b'"1"', b'"1.0"'), "text"))), "the text of le counts"


def test_what_prometheus_client_writes_is_accepted():
    registry = CollectorRegistry()
    Counter("jobs", "Jobs \\ \"done\".", ["name"], registry=registry).labels('a"\\\nü').inc(3, {"trace": "x"})
    durations = Histogram("job_seconds", "Durations.", ["name"], registry=registry, unit="seconds")
    for value in (0.003, 0.2, 70.0):
        durations.labels("ü").observe(value, {"trace": "y"})
    Gauge("depth", "Depth.", registry=registry).set(-1.25e9)
    Info("build", "Build.", registry=registry).info({"version": "1"})
    Enum("state", "State.", registry=registry, states=["on", "off"])
    Summary("sizes", "Sizes.", registry=registry).observe(1)
    assert validate(generate_openmetrics(registry), "openmetrics") == []
    assert format_of(generate_openmetrics(registry)) == "openmetrics"
    assert format_of(generate_latest(registry)) == "text"
    assert validate(generate_latest(registry), "text") == []


def test_formats_are_recognized():
    assert format_of(GOOD_PROTOBUF) == "protobuf"
    assert format_of(family("a_total", 0, *(label("f", str(number)) + counter(1.0) for number in range(99)))) == "protobuf"
    assert format_of(GOOD_TEXT.encode()) == "text"
    assert format_of(b"a_total 1\n") == "text"
    assert format_of(b"") == "text"
    assert format_of(GOOD_OM.encode()) == "openmetrics"


@pytest.mark.parametrize("value,text", [
    (0.005, "0.005"), (0.1, "0.1"), (1.0, "1.0"), (10.0, "10.0"), (100000.0, "100000.0"), (1e6, "1e+06"),
    (2.0 ** 27, "1.34217728e+08"), (1e-5, "1e-05"), (0.0001, "0.0001"), (123456.5, "123456.5"),
    (1234567.5, "1.2345675e+06"), (float("inf"), "+Inf"), (float("-inf"), "-Inf"), (0.0, "0.0"), (-2.5, "-2.5"),
    (1 / 3, "0.3333333333333333"), (2.0 ** 34, "1.7179869184e+10"),
])
def test_numbers_are_written_as_go_does(value, text):
    assert number_text(value) == text


def test_the_command_line(tmp_path):
    def run(*arguments):
        program = Path(__file__).with_name("exposition.py")
        result = subprocess.run(
            [sys.executable, str(program), *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False)
        return result.returncode, result.stdout + result.stderr

    text = HEAD + "a_total 1\n"
    (tmp_path / "good").write_text(text)
    (tmp_path / "packed").write_bytes(gzip.compress(family("a_total", 0, counter(2.0))))
    (tmp_path / "bad").write_text(text + "a_total 1\n")
    assert run("good") == (0, f"text, {len(text)} bytes: nothing is wrong\n")
    assert run("--format", "auto", "packed", "--previous", "good")[0] == 0
    code, said = run("good", "--previous", "packed")
    assert (code, said) == (1, "a_total went down from 2.0 to 1.0\n")
    code, said = run("good", "--same-as", "packed")
    assert code == 1 and "a_total is 1.0 and 2.0" in said
    code, said = run("bad")
    assert (code, said) == (1, "line 4: a_total comes twice\n")
    assert run("--format", "openmetrics", "good")[0] == 1
    assert run("missing")[0] == 1
    assert run("--format", "nothing", "good")[0] == 64
    assert run()[0] == 64


def test_the_validator_is_fast_enough_for_a_large_scrape():
    """Ten thousand functions make more than a million samples; reading must not be quadratic."""
    def cost(count):
        lines = [f'a_total{{function="f{number}"}} {number}\n' for number in range(count)]
        data = (HEAD + "".join(lines)).encode()
        start = time.process_time()
        assert validate(data, "text", data, now=NOW) == []
        return time.process_time() - start

    assert cost(20_000) < 40 * max(cost(2_000), 0.02)


@pytest.mark.parametrize("data,kind", [
    (GOOD_TEXT.encode(), "text"), (GOOD_OM.encode(), "openmetrics"), (GOOD_PROTOBUF, "protobuf")])
def test_whatever_comes_is_judged(data, kind):
    """Bytes that were changed, lost or doubled end in problems at most, never in an exception."""
    source = random.Random(4)
    refusals = 0
    for _ in range(1_500):
        changed = bytearray(data)
        for _ in range(source.randint(1, 3)):
            start = source.randrange(len(changed))
            end = start + source.choice([0, 1, 1, 7])
            changed[start:end] = source.choice([b"", source.randbytes(1), bytes(changed[end:end + 9]), b"\n", b'"', b"\xff" * 5])
        refusals += bool(validate(bytes(changed), kind, now=NOW))
    assert refusals > 1_000
