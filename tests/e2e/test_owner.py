"""What an owner does with what is kept: marks, hides, puts away, takes back, deletes the account."""

import time
from pathlib import Path

import pytest

from tests.e2e.harness import Row, RunningStack

WHO = "owner"
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def answers(stack: RunningStack, roll: Path) -> dict[str, Row]:
    return stack.bring_in(roll, WHO)


def ideas(stack: RunningStack) -> dict[str, Row]:
    return {str(row["name"]): row for row in stack.rows("ideas", "--subject", WHO)}


def test_usage_counts_what_is_kept(stack: RunningStack, answers: dict[str, Row]) -> None:
    (usage,) = stack.rows("usage", "--subject", WHO)

    assert usage["media"] == len(answers)
    assert usage["open_uploads"] == len(stack.rows("uploads", "--subject", WHO)) == 0
    assert 0 < int(str(usage["used_bytes"])) < int(str(usage["quota_bytes"]))


@pytest.mark.usefixtures("answers")
def test_no_device_was_registered(stack: RunningStack) -> None:
    assert stack.rows("devices", "--subject", WHO) == []


@pytest.mark.usefixtures("answers")
def test_a_dismissed_idea_is_put_away_and_can_be_taken_back(stack: RunningStack) -> None:
    name = next(iter(ideas(stack)))

    (away,) = stack.rows("dismiss", name, "--subject", WHO)
    assert away["state"] == "DISMISSED"
    assert name not in ideas(stack)

    (back,) = stack.rows("restore", name, "--subject", WHO)
    assert back["state"] in ("READY", "SEEN")
    assert name in ideas(stack)


@pytest.mark.usefixtures("answers")
def test_no_idea_uses_a_hidden_photo(stack: RunningStack) -> None:
    file = next(str(media) for row in ideas(stack).values() for media in row["media"])  # type: ignore[attr-defined]

    (marked,) = stack.rows("mark", file, "--hidden", "--favorite", "--subject", WHO)
    assert marked == {"file": file, "favorite": True, "hidden": True}
    assert stack.findings(WHO)[file]["hidden"] is True

    until = time.monotonic() + PATIENCE_SECONDS
    while any(file in str(row["media"]) for row in ideas(stack).values()):
        assert time.monotonic() < until


def test_a_deleted_account_leaves_no_decision_behind(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "leaving", "CLOUD_PROCESSING")
    (scheduled,) = stack.rows("erase", "--account", "--yes", "--subject", "leaving")
    assert scheduled["state"] == "SCHEDULED"
    (cancelled,) = stack.rows("erase", "--cancel", str(scheduled["name"]), "--subject", "leaving")
    assert cancelled["state"] == "CANCELLED"
    assert stack.findings("leaving")

    (done,) = stack.rows("erase", "--account", "--delay", "0s", "--yes", "--subject", "leaving")

    assert done["state"] == "COMPLETE"
    for service in ("ingest", "analysis", "suggestion", "consent"):
        rows = stack.rows_of(service, "leaving")
        assert {table: count for table, count in rows.items() if count and table != "fence"} == {}
    assert {row["status"] for row in stack.rows("consent", "--subject", "leaving")} == {"UNASKED"}
