"""What is not consented to is not there; what is withdrawn or erased is gone; no person sees another's."""

import json
import time
from pathlib import Path

from tests.e2e.harness import RunningStack
from tests.e2e.pictures import FACE
from tests.integration.clear_text import without_times_of_day

PATIENCE_SECONDS = 60.0

TOMBSTONES = ("fence", "change_head", "change_feed")
"""What an erasure leaves: fences against latecomers, and the names of what is gone, so that other devices learn it."""


def purposes_of_findings(stack: RunningStack, subject: str) -> set[object]:
    query = "SELECT DISTINCT f.purpose FROM findings f JOIN media m ON m.id = f.media_id WHERE m.subject = %s"
    return {purpose for (purpose,) in stack.select("analysis", query, stack.pseudonym(subject))}


def all_objects_are_spoken_of(stack: RunningStack) -> bool:
    """Whether every object belongs to a row: a person without rows has no objects then.

    Somebody else's idea may be in the making, its object put and its row not yet written; that lasts a moment.
    """
    kept, named = stack.objects(), stack.named_objects()
    return all(set(kept[bucket]) <= named[bucket] for bucket in kept)


def test_without_face_grouping_there_is_no_template_anywhere(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "faceless", "CLOUD_PROCESSING")
    found = stack.findings("faceless")[FACE]
    assert found["faces"]
    assert "person" not in str(found["faces"])
    assert "position" not in found
    assert purposes_of_findings(stack, "faceless") == {"CLOUD_PROCESSING"}


def test_a_later_grant_is_worked_off(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "later", "CLOUD_PROCESSING")
    stack.bring_in(roll, "later", "LOCATION")
    assert stack.findings("later")[FACE]["position"] is not None


def test_withdrawing_one_purpose_takes_what_was_learnt_for_it(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "shy", "CLOUD_PROCESSING,LOCATION")
    stack.rows("withdraw", "LOCATION", "--subject", "shy")
    assert "position" not in stack.findings("shy")[FACE]
    assert stack.rows("ideas", "--subject", "shy")
    until = time.monotonic() + PATIENCE_SECONDS
    while "LOCATION" in purposes_of_findings(stack, "shy"):
        assert time.monotonic() < until


def test_withdrawal_during_an_import_stops_it_and_nothing_can_be_opened(
    stack: RunningStack, roll: Path, tmp_path: Path
) -> None:
    originals = sorted(roll.iterdir())
    folder = tmp_path / "roll"
    folder.mkdir()
    for number in range(320):
        path = originals[number % len(originals)]
        (folder / f"{number:04d}.jpg").write_bytes(path.read_bytes() + number.to_bytes(2, "big"))
    running = stack.start(
        "import", str(folder), "--subject", "regret", "--grant", "CLOUD_PROCESSING", "--wait", "--json"
    )
    until = time.monotonic() + PATIENCE_SECONDS
    while stack.rows_of("ingest", "regret")["media"] < 3:
        assert time.monotonic() < until
        assert running.poll() is None
    state = stack.rows("withdraw", "CLOUD_PROCESSING", "--subject", "regret")
    assert {row["status"] for row in state if row["purpose"] == "CLOUD_PROCESSING"} == {"WITHDRAWN"}
    output, _ = running.communicate(timeout=120)
    rows = [json.loads(line) for line in output.splitlines()]
    assert "PURPOSE_NOT_GRANTED" in str(rows)
    assert stack.failure("ideas", "--subject", "regret")["reason"] == "PURPOSE_NOT_GRANTED"
    assert stack.failure("findings", "--subject", "regret")["reason"] == "PURPOSE_NOT_GRANTED"
    ((keys,),) = stack.select(
        "retention", "SELECT count(*) FROM purpose_key WHERE subject = %s", stack.pseudonym("regret")
    )
    assert keys == 0


def test_erasing_one_photo_takes_its_ideas_along(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "onephoto", "CLOUD_PROCESSING")
    before = stack.rows("ideas", "--subject", "onephoto")
    (erasure,) = stack.rows("erase", "--yes", "--subject", "onephoto", "--file", FACE)
    assert erasure["state"] == "PURGED"
    assert FACE not in stack.findings("onephoto")
    left = {idea["name"] for idea in stack.rows("ideas", "--subject", "onephoto")}
    assert not {idea["name"] for idea in before if FACE in str(idea["media"])} & left


def test_erasing_everything_leaves_no_row_no_object_and_no_idea(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "gone", "CLOUD_PROCESSING,LOCATION,FACE_GROUPING")
    (erasure,) = stack.rows("erase", "--yes", "--subject", "gone")
    assert erasure["state"] == "PURGED"
    person = stack.pseudonym("gone")
    assert {row["status"] for row in stack.rows("consent", "--subject", "gone")} <= {"WITHDRAWN", "UNASKED"}
    for service in ("ingest", "analysis", "suggestion"):
        rows = stack.rows_of(service, "gone")
        assert {table: count for table, count in rows.items() if count and table not in TOMBSTONES} == {}
        assert stack.select(service, "SELECT 1 FROM change_feed WHERE subject = %s AND NOT deleted", person) == []
    ((keys,),) = stack.select("retention", "SELECT count(*) FROM data_key WHERE subject = %s", stack.pseudonym("gone"))
    assert keys == 0
    until = time.monotonic() + PATIENCE_SECONDS
    while not all_objects_are_spoken_of(stack):
        assert time.monotonic() < until


def test_a_receipt_is_checked_against_the_installations_key(stack: RunningStack, tmp_path: Path) -> None:
    stack.rows("consent", "--grant", "CLOUD_PROCESSING,LOCATION", "--subject", "keeper")
    stack.rows("withdraw", "LOCATION", "--subject", "keeper")
    listed = stack.rows("consent", "receipts", "--save", str(tmp_path), "--subject", "keeper")
    files = {row["event"]: tmp_path / f"{row['event']}.json" for row in listed}
    stated = [stack.rows("consent", "verify", str(file))[0] for file in files.values()]
    assert next((each["purpose"], each["type"]) for each in stated) == ("LOCATION", "WITHDRAWN")
    kept = json.loads(next(iter(files.values())).read_text())
    (tmp_path / "forged.json").write_text(json.dumps({**kept, "signature": "A" * 86 + "=="}))
    assert stack.failure("consent", "verify", str(tmp_path / "forged.json"))["reason"] == "RECEIPT_FORGED"


def test_two_persons_never_see_each_others_anything(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "ada", "CLOUD_PROCESSING")
    stack.rows("consent", "--grant", "CLOUD_PROCESSING", "--subject", "bob")
    assert stack.rows("findings", "--subject", "bob") == []
    assert stack.rows("ideas", "--subject", "bob") == []
    theirs = stack.bring_in(roll, "bob", "CLOUD_PROCESSING")
    assert {row["outcome"] for row in theirs.values()} == {"stored"}
    mine = {idea["name"] for idea in stack.rows("ideas", "--subject", "ada")}
    assert not mine & {idea["name"] for idea in stack.rows("ideas", "--subject", "bob")}


def test_nothing_personal_stands_in_any_column_in_clear(stack: RunningStack, roll: Path) -> None:
    stack.bring_in(roll, "zebulon", "CLOUD_PROCESSING,LOCATION")
    for service in ("consent", "ingest", "analysis", "suggestion", "retention"):
        for table in stack.tables(service):
            for row in stack.select(service, f"SELECT * FROM {table}"):
                text = " ".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)
                said = without_times_of_day(text)
                assert [mark for mark in ("zebulon", "IMG_0001", "45.76", "4.84") if mark in said] == []
