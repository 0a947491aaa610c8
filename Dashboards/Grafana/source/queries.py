"""The forms in which the dashboards ask Prometheus.

Each form is right for classic and for native histograms: where the two are asked differently, it is `classic or native`,
because a server that keeps one kind has no series of the other.
"""

# At least as long as the step of a graph and four scrapes, so that no sample falls between two points.
RATE = "[$__rate_interval]"
RANGE = "[$__range]"


class Scope:
    """Which series a dashboard looks at."""

    def __init__(self, *matchers):
        self.matchers = matchers

    def __call__(self, metric, *more):
        return f"{metric}{{{', '.join(self.matchers + more)}}}"


TARGET = ('job=~"$job"', 'instance=~"$instance"')
ACCOUNT = Scope(*TARGET)
FUNCTIONS = Scope(*TARGET, 'function=~"$function"')
# One function: all of its versions, or those chosen. A function without a version has no such label, which ".*" lets in.
FUNCTION = Scope(*TARGET, 'function="$function"', 'version=~"$version"')
# What belongs to the function whatever the version.
WHOLE_FUNCTION = Scope(*TARGET, 'function="$function"')


def by(operator, labels, expression):
    return f"{operator} by ({', '.join(labels)}) ({expression})" if labels else f"{operator}({expression})"


def rate(scope, metric, *labels, only=()):
    """How fast a counter goes up."""
    return by("sum", labels, f"rate({scope(metric, *only)}{RATE})")


def increase(scope, metric, *labels, only=()):
    """How much a counter went up in all of the time that is shown."""
    return by("sum", labels, f"increase({scope(metric, *only)}{RANGE})")


def share(part, whole):
    """A ratio that is absent where there is nothing to take a share of."""
    return f"{part} / ({whole} > 0)"


def peak(scope, metric, *labels, window=RATE):
    """The largest value of a gauge of the last closed window; a mean of them would mean nothing."""
    return by("max", labels, f"max_over_time({scope(metric)}{window})")


def now(scope, metric, *labels, operator="sum", only=()):
    """A gauge as a scrape happens to see it."""
    return by(operator, labels, scope(metric, *only))


def quantile(share_below, scope, metric, *labels, window=RATE):
    classic = by("sum", ("le", *labels), f"rate({scope(metric + '_bucket')}{window})")
    native = by("sum", labels, f"rate({scope(metric)}{window})")
    return f"histogram_quantile({share_below}, {classic}) or histogram_quantile({share_below}, {native})"


def quantile_of_range(share_below, scope, metric, *labels):
    """Of all of the time that is shown."""
    classic = by("sum", ("le", *labels), f"increase({scope(metric + '_bucket')}{RANGE})")
    native = by("sum", labels, f"increase({scope(metric)}{RANGE})")
    return f"histogram_quantile({share_below}, {classic}) or histogram_quantile({share_below}, {native})"


def mean(scope, metric, *labels):
    total, count = (by("sum", labels, f"rate({scope(metric + end)}{RATE})") for end in ("_sum", "_count"))
    native = by("sum", labels, f"rate({scope(metric)}{RATE})")
    return f"{share(total, count)} or {share(f'histogram_sum({native})', f'histogram_count({native})')}"


def buckets(scope, metric):
    """The two queries of a heatmap: rows of classic buckets, or one native histogram for each column."""
    return (
        by("sum", ("le",), f"rate({scope(metric + '_bucket')}{RATE})"),
        by("sum", (), f"rate({scope(metric)}{RATE})"),
    )


def changed(scope, known, *gauges, only=()):
    """Where one of the gauges changed, appeared or vanished, of functions that had been known before."""
    labels = ("function",)
    before = "offset $__rate_interval"
    parts = []
    for gauge in gauges:
        series = scope(gauge, *only)
        parts += [
            f"changes({series}{RATE}) > 0", f"({series} unless {series} {before})", f"({series} {before} unless {series})"]
    moved = by("count", labels, " or ".join(parts))
    return f"{moved} and on (function) {scope(known)} and on (function) {scope(known)} {before}"
