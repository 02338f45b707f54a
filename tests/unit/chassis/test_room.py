"""A store that has no room is told from one that is away."""

from pathlib import Path

from services.chassis.errors import DependencyUnavailable, FieldInvalid
from services.chassis.limits.room import Room

AWAY = DependencyUnavailable.of("object-store")
ENDLESS = 1 << 60


def test_a_store_that_does_not_answer_on_a_full_disk_has_no_room(tmp_path: Path) -> None:
    full = Room(tmp_path, floor_bytes=ENDLESS).explain(AWAY)
    assert (full.reason, full.status) == ("STORAGE_FULL", AWAY.status)
    assert full.retry_after is not None


def test_a_store_that_does_not_answer_while_there_is_room_is_away(tmp_path: Path) -> None:
    assert Room(tmp_path, floor_bytes=0).explain(AWAY) is AWAY
    assert Room(None, floor_bytes=ENDLESS).explain(AWAY) is AWAY
    assert Room(tmp_path / "gone", floor_bytes=ENDLESS).explain(AWAY) is AWAY


def test_what_a_caller_did_wrong_has_nothing_to_do_with_room(tmp_path: Path) -> None:
    wrong = FieldInvalid.of("name", "it is missing")
    assert Room(tmp_path, floor_bytes=ENDLESS).explain(wrong) is wrong
