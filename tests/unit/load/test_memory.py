"""Memory that is kept for a while is told from memory that is never given back."""

import psutil
import pytest

from inference.load.memory import MemoryWatch
from tests.fakes.clock import FakeClock

TEN_MINUTES = [float(second) for second in range(600)]


def watched(mebibytes: list[float]) -> MemoryWatch:
    return MemoryWatch(psutil.Process(), FakeClock(), seconds=TEN_MINUTES, mebibytes=mebibytes)


def test_what_is_kept_for_a_while_is_no_rise_though_a_line_through_it_climbs() -> None:
    watch = watched([1000 + (40 if 420 <= second < 560 else 0) for second in TEN_MINUTES])

    assert watch.rise(after=120) == 0
    assert watch.growth(after=120).high > 60


def test_what_is_never_given_back_is_a_rise() -> None:
    watch = watched([1000 + second / 4 + 40 * (second % 50 < 10) for second in TEN_MINUTES])

    assert watch.rise(after=120) == pytest.approx(60, abs=5)


def test_a_moment_says_nothing_of_a_rise() -> None:
    with pytest.raises(ValueError, match="sample longer"):
        watched([1000.0] * 600).rise(after=597)
