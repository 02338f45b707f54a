"""Growth is told from noise."""

import numpy as np
import pytest

from inference.load.regression import slope, student_t


def test_growth_is_found_in_noise() -> None:
    hours = np.linspace(0, 1 / 6, 600)
    noise = np.random.default_rng(1).normal(0, 1, 600)

    found = slope(list(hours), list(500 + 60 * hours + noise))

    assert found.low < 60 < found.high
    assert found.low > 50


def test_a_flat_line_is_not_taken_for_growth() -> None:
    hours = np.linspace(0, 1 / 6, 600)

    found = slope(list(hours), list(500 + np.random.default_rng(2).normal(0, 1, 600)))

    assert found.low < 0 < found.high
    assert found.high < 10


def test_memory_that_wanders_widens_the_interval() -> None:
    hours = np.linspace(0, 1 / 6, 600)
    random = np.random.default_rng(3)
    wandering = np.repeat(random.normal(0, 5, 20), 30)

    steady = slope(list(hours), list(random.normal(0, 5, 600)))
    found = slope(list(hours), list(wandering))

    assert found.high - found.low > 2 * (steady.high - steady.low)


def test_three_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="sample longer"):
        slope([0, 1, 2], [1, 1, 1])


@pytest.mark.parametrize(("freedom", "expected"), [(3, 3.182), (5, 2.571), (10, 2.228), (22, 2.074), (100, 1.984)])
def test_students_quantiles_are_those_of_the_tables(freedom: int, expected: float) -> None:
    assert student_t(0.975, freedom) == pytest.approx(expected, rel=0.01)
