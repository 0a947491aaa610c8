"""The comparison of numbers that went through another program's floats lets through what they round, and nothing else."""
import pytest

from floats import at_most, never_go_down, same


def test_rounding_of_victoria_metrics_is_no_counter_that_went_down():
    assert never_go_down([5.3146494550000005, 5.314649455, 5.3146494550000005, 6.0])


@pytest.mark.parametrize("values", [[2.0, 1.0], [5.314649456, 5.314649455], [1e6 + 1e-9, 1e6], [1.0, 2.0, 0.0]])
def test_a_nanosecond_less_is_a_counter_that_went_down(values):
    assert not never_go_down(values)


def test_numbers_are_the_same_or_not():
    assert same("0.1", 0.1) and same(0.30000000000000004, 0.3) and same(0, 0) and same(1e9, 1e9)
    assert not same(0.1, 0.100000001) and not same(0, 1e-9) and not same(1e9, 1e9 + 1)
    assert at_most(0.30000000000000004, 0.3) and at_most(1, 2) and not at_most(2, 1)
