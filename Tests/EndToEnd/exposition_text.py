"""Reads the Prometheus text format 0.0.4 and OpenMetrics 1.0, and says what is wrong with them."""
import re

from exposition_model import (
    KINDS_WITH_BUCKETS, LABEL_NAME, NAME, Exemplar, Family, check_family, number, number_text, series, unescaped, without,
)

LABELS = r'(?:\{((?:[^"}]*"[^"\\]*(?:\\.[^"\\]*)*")*[^"}]*)\})?'
TEXT_LINE = re.compile(rf"([^\s{{]+)[ \t]*{LABELS}[ \t]+(\S+)(?:[ \t]+(\S+))?[ \t]*()")
OPENMETRICS_LINE = re.compile(rf"([^\s{{]+){LABELS} ([^\s#]+)(?: ([^\s#]+))?( # .*)?")
EXEMPLAR = re.compile(rf" # {LABELS} ([^\s#]+)(?: ([^\s#]+))?")
PAIR = re.compile(r'([^=,"]*)="([^"\\]*(?:\\.[^"\\]*)*)"')
INTEGER = re.compile(r"-?\d+")

# What the names of samples end with, by the kind of their family.
TEXT_SUFFIXES = {
    "counter": [""], "gauge": [""], "untyped": [""], "histogram": ["_bucket", "_sum", "_count"],
    "summary": ["", "_sum", "_count"],
}
OPENMETRICS_SUFFIXES = {
    "counter": ["_total", "_created"], "gauge": [""], "unknown": [""], "info": ["_info"], "stateset": [""],
    "histogram": ["_bucket", "_sum", "_count", "_created"], "gaugehistogram": ["_bucket", "_gsum", "_gcount"],
    "summary": ["", "_sum", "_count", "_created"],
}


class TextReader:
    """Reads a whole exposition, family by family; `problems` is complete when all families were read."""

    def __init__(self, data, is_openmetrics, now, problems):
        self.data, self.now, self.problems = data, now, problems
        self.is_openmetrics = is_openmetrics
        self.suffixes = OPENMETRICS_SUFFIXES if is_openmetrics else TEXT_SUFFIXES
        self.line = 0
        self.finished = set()
        # By the name of a sample, the family that has it to itself.
        self.claimed = {}
        self.family = None

    def report(self, sentence):
        self.problems.add(f"line {self.line}: {sentence}")

    def families(self):
        try:
            text = self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.report(f"is not UTF-8: {error}")
            return
        if text.startswith("\ufeff"):
            self.report("begins with a byte order mark")
        if text and not text.endswith("\n"):
            self.report("the last line does not end with a line feed")
        ended = False
        for content in text.removesuffix("\n").split("\n") if text else []:
            self.line += 1
            if ended:
                self.report("there is something behind # EOF")
                break
            if content == "# EOF" and self.is_openmetrics:
                ended = True
                continue
            yield from self.read(content)
        if self.is_openmetrics and not ended:
            self.report("does not end with # EOF")
        yield from self.finish()

    def read(self, content):
        if content.endswith("\r"):
            self.report("ends with a carriage return")
        words = content.split(" ", 3)
        if words[0] == "#" and len(words) > 2 and words[1] in ("HELP", "TYPE", "UNIT"):
            if words[1] != "UNIT" or self.is_openmetrics:
                yield from self.read_metadata(words[1], words[2], words[3] if len(words) > 3 else "")
        elif content.startswith("#") or not content.strip():
            if self.is_openmetrics:
                self.report("a line is empty or a comment")
        else:
            yield from self.read_sample(content)

    # Families

    def begin(self, name):
        """Finishes the family before, if this is another."""
        if self.family is not None and self.family.name == name:
            return
        yield from self.finish()
        if name in self.finished:
            self.report(f"{name} comes in more than one piece")
        if not NAME.fullmatch(name):
            self.report(f"{name!r} is no name of a metric")
        self.family, self.metadata, self.groups, self.group = Family(name), set(), set(), None
        self.kind = "unknown" if self.is_openmetrics else "untyped"

    def finish(self):
        family, self.family = self.family, None
        if family is None:
            return
        self.finished.add(family.name)
        for suffix in self.suffixes[self.kind]:
            name = family.name + suffix
            if self.claimed.setdefault(name, family.name) != family.name:
                self.report(f"{family.name} and {self.claimed[name]} both have samples named {name}")
        if self.is_openmetrics:
            # A family without samples of its kind is none; its own name is claimed in any case.
            if self.claimed.setdefault(family.name, family.name) != family.name:
                self.report(f"{family.name} is named as a sample of {self.claimed[family.name]}")
        family.kind = self.kind if "TYPE" in self.metadata else None
        if self.is_openmetrics:
            if family.unit and self.kind in ("info", "stateset"):
                self.report(f"{family.name} is of kind {self.kind} and has a unit")
            family.name += {"counter": "_total", "info": "_info"}.get(self.kind, "")
        if not family.samples:
            self.report(f"{family.name} has no samples")
        check_family(family, self.now, Located(self))
        yield family

    def read_metadata(self, word, name, rest):
        yield from self.begin(name)
        if word in self.metadata:
            self.report(f"{name} has {word} twice")
        self.metadata.add(word)
        if self.family.samples:
            self.report(f"{word} of {name} comes behind its samples")
        if word == "HELP":
            self.family.help, wrong = unescaped(rest, '\\"n' if self.is_openmetrics else "\\n")
            if wrong:
                self.report(f"HELP of {name} has escapes that mean nothing: {wrong}")
        elif word == "TYPE" and rest not in self.suffixes:
            self.report(f"{name} has a TYPE that there is not: {rest!r}")
        elif word == "TYPE":
            self.kind = rest
        else:
            self.family.unit = rest

    # Samples

    def read_sample(self, content):
        match = (OPENMETRICS_LINE if self.is_openmetrics else TEXT_LINE).fullmatch(content)
        if not match:
            if not self.is_openmetrics and re.search(r"\S # \{", content):
                self.report(f"there is an exemplar, which this format has no place for: {content[:200]!r}")
            else:
                self.report(f"is no sample: {content[:200]!r}")
            return
        name, label_text, value_text, time, exemplar = match.groups()
        if not self.belongs(name):
            yield from self.begin(self.family_of(name))
            if not self.belongs(name):
                self.report(f"{name} is no sample of {self.family.name}, which is of kind {self.kind}")
        labels = self.read_labels(label_text)
        value = number(value_text)
        if value is None:
            self.report(f"{series(name, labels)} has a value that is no number: {value_text!r}")
            return
        if time is not None and (number(time) is None if self.is_openmetrics else not INTEGER.fullmatch(time)):
            self.report(f"{series(name, labels)} has a time that is none: {time!r}")
        self.take(name, labels, value)
        if exemplar:
            self.read_exemplar(name, labels, exemplar)

    def belongs(self, name):
        family = self.family
        return family is not None and name.startswith(family.name) and name[len(family.name):] in self.suffixes[self.kind]

    def family_of(self, name):
        """A sample outside of its family: that one, if there was one, else a family without metadata."""
        for suffix in ("_bucket", "_sum", "_count", "_total", "_created", "_info"):
            if name.endswith(suffix) and name.removesuffix(suffix) in self.finished:
                return name.removesuffix(suffix)
        return name

    def take(self, name, labels, value):
        family = self.family
        key = (name, labels)
        if key in family.samples or (name.endswith("_created") and labels in family.created):
            self.report(f"{series(name, labels)} comes twice")
        if self.is_openmetrics:
            self.check_group(labels)
            self.check_kind(name, labels, value)
            if name == family.name + "_created":
                family.created[labels] = value
                return
        if "le" in dict(labels) and not (self.kind in KINDS_WITH_BUCKETS and name.endswith("_bucket")):
            self.report(f"{series(name, labels)} has le and is no bucket")
        family.samples[key] = value

    def check_group(self, labels):
        """Samples with equal labels stand together."""
        own = {"histogram": "le", "gaugehistogram": "le", "summary": "quantile", "stateset": self.family.name}
        group = without(labels, own.get(self.kind))
        if group != self.group:
            if group in self.groups:
                self.report(f"{series(self.family.name, group)} comes in more than one piece")
            self.groups.add(group)
            self.group = group

    def check_kind(self, name, labels, value):
        if self.kind == "info" and value != 1:
            self.report(f"{series(name, labels)} is of kind info and not 1")
        if self.kind == "stateset" and (value not in (0, 1) or self.family.name not in dict(labels)):
            self.report(f"{series(name, labels)} is no state of a stateset")
        bound = dict(labels).get("le") if self.kind in KINDS_WITH_BUCKETS else None
        if bound is not None and number(bound) is not None and bound != number_text(number(bound)):
            self.report(f"{series(name, labels)} has an le that is not written as {number_text(number(bound))}")

    def read_labels(self, text):
        if not text:
            return ()
        pairs, end = [], 0
        for match in PAIR.finditer(text):
            between = text[end:match.start()]
            if between != ("," if pairs else "") and (self.is_openmetrics or between.strip(" \t") != ("," if pairs else "")):
                self.report(f"has labels that cannot be read: {text[:200]!r}")
            pairs.append(match.groups())
            end = match.end()
        if text[end:] and (self.is_openmetrics or text[end:].strip(" \t") not in ("", ",")):
            self.report(f"has labels that cannot be read: {text[:200]!r}")
        if not self.is_openmetrics:
            pairs = [(name.strip(" \t"), value) for name, value in pairs]
        for name, value in pairs:
            if not LABEL_NAME.fullmatch(name) or name.startswith("__"):
                self.report(f"{name!r} is no name of a label")
            if "\\" in value and (wrong := unescaped(value)[1]):
                self.report(f"the label {name} has escapes that mean nothing: {wrong}")
        if len({name for name, _ in pairs}) < len(pairs):
            self.report(f"has a label twice: {text[:200]!r}")
        # An empty label is none.
        return tuple(sorted(pair for pair in pairs if pair[1]))

    def read_exemplar(self, name, labels, text):
        match = EXEMPLAR.fullmatch(text)
        value = match and number(match[2])
        time = match and match[3] and number(match[3])
        if value is None or (match[3] and time is None) or match[1] is None:
            self.report(f"{series(name, labels)} has an exemplar that cannot be read: {text!r}")
            return
        if name.endswith("_created") or name.endswith(("_sum", "_count")):
            self.report(f"{series(name, labels)} has an exemplar, and may have none")
        self.family.exemplars[(name, labels)] = Exemplar(self.read_labels(match[1]), value, time)


class Located:
    """Puts the line in front of what a family has wrong."""

    def __init__(self, reader):
        self.add = reader.report
