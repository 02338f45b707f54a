"""What is asked before anything is erased, and what cannot be asked together."""

import json

import pytest
from typer.testing import CliRunner

from services.cli.__main__ import application

APP = application("erase")


@pytest.mark.parametrize(
    ("arguments", "reason", "field"),
    [
        ("", "NOT_CONFIRMED", "--yes"),
        ("--account", "NOT_CONFIRMED", "--yes"),
        ("--file a.jpg", "NOT_CONFIRMED", "--yes"),
        ("--account --yes --delay 31d", "FIELD_INVALID", "--delay"),
        ("--account --file a.jpg --yes", "OPTION_UNKNOWN", ""),
        ("--account --cancel accountDeletions/1", "OPTION_UNKNOWN", ""),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_erased(arguments: str, reason: str, field: str) -> None:
    ended = CliRunner().invoke(APP, ["erase", *arguments.split(), "--json"])

    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["reason"], error["field"]) == (2, reason, field)
