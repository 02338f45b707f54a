"""What a bench prints, and what it refuses."""

import json

import pytest
from typer.testing import CliRunner

from services.cli.__main__ import application
from services.cli.bench.commands import text_of

RATIO = {
    "name": "serve.x",
    "value": 87.5,
    "unit": "requests/s",
    "limit": 90.0,
    "ratio": 0.972,
    "goal": 0.85,
    "holds": True,
}
STALL = {
    **RATIO,
    "name": "poisson.x",
    "value": 512.0,
    "unit": "ms",
    "limit": 400.0,
    "ratio": 1.28,
    "goal": 1.0,
    "holds": False,
    "at_most": True,
    "what": "longest stall at 70 % of the peak",
    "p99_ms": 31.5,
}


def test_a_ratio_is_said_with_its_goal() -> None:
    assert text_of(RATIO) == "serve.x: 87.50 requests/s of 90.00, ratio 0.97 (goal 0.85: holds)"


def test_what_must_stay_within_a_limit_says_what_it_is_and_what_else_was_found() -> None:
    assert text_of(STALL) == (
        "poisson.x: longest stall at 70 % of the peak 512.00 ms of 400.00, ratio 1.28"
        " (at most 1.0: does not hold) [p99_ms 31.5]"
    )


def test_what_never_came_is_no_number() -> None:
    assert "recovered after None s of 5.00" in text_of(
        {**STALL, "what": "recovered after", "value": None, "ratio": None, "unit": "s", "limit": 5.0}
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("nonsense",), "BENCH_UNKNOWN"), (("upload", "--soak", "5"), "OPTION_UNKNOWN")],
)
def test_what_there_is_not_is_refused_by_reason(arguments: tuple[str, ...], reason: str) -> None:
    result = CliRunner().invoke(application("bench"), ["bench", *arguments, "--json"])

    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["reason"] == reason
