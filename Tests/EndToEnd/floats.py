"""Compares numbers that went through another program's floats: a server may store a decimal and give back the double next to it."""
import math

# VictoriaMetrics turns doubles into decimals and back, and was seen to be off by one. A nanosecond in a million seconds is
# eight.
UNITS_IN_THE_LAST_PLACE = 4


def rounding(value):
    """How far from `value` its double may have come back."""
    return UNITS_IN_THE_LAST_PLACE * math.ulp(float(value))


def same(first, second):
    """Whether two numbers are the same but for their rounding."""
    first, second = float(first), float(second)
    return first == second or abs(first - second) <= max(rounding(first), rounding(second))


def at_most(first, second):
    """Whether `first` is not above `second`, but for their rounding."""
    return float(first) <= float(second) or same(first, second)


def never_go_down(values):
    """Whether no value is below the one before it, but for their rounding."""
    return all(at_most(before, after) for before, after in zip(values, values[1:]))
