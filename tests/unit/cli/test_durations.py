"""Durations as they are typed."""

from datetime import timedelta

import pytest

from services.cli import durations
from services.cli.output import UsageWrong
from services.cli.stack.token import LONGEST, SHORTEST


def parse(text: str) -> timedelta:
    return durations.parse(text, field="--ttl", least=SHORTEST, most=LONGEST)


@pytest.mark.parametrize(
    ("text", "life"),
    [("90s", timedelta(seconds=90)), ("30m", timedelta(minutes=30)), ("12h", timedelta(hours=12)),
     ("30d", timedelta(days=30))],
)  # fmt: skip
def test_a_duration_is_a_number_and_a_unit(text: str, life: timedelta) -> None:
    assert parse(text) == life


@pytest.mark.parametrize("text", ["", "soon", "-5m", "1.5h", "5", "5w", "²d", "٣d", "1 h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageWrong, match="is no duration"):
        parse(text)


@pytest.mark.parametrize("text", ["0s", "31d", "721h", "2592001s", "999999999d"])
def test_what_is_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(UsageWrong, match="out of bounds: 1s to 30d"):
        parse(text)


def test_a_duration_beyond_every_calendar_is_refused() -> None:
    with pytest.raises(UsageWrong):
        parse("9" * 5000 + "d")
