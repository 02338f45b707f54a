from pathlib import Path

import pytest

from services.chassis.seal import SealBroken
from services.consent.errors import RecordKeyInvalid
from services.consent.store.record_keys import RecordKeys
from tests.unit.consent.harness import ADA, BOB


@pytest.fixture
def keys() -> RecordKeys:
    return RecordKeys(bytes(32))


def test_what_is_sealed_under_a_persons_key_opens_under_it(keys: RecordKeys) -> None:
    wrapped = keys.make(ADA)
    sealed = keys.unwrap(wrapped, subject=ADA).seal(b"US-CA", record="consentEvents/1")

    assert keys.unwrap(wrapped, subject=ADA).open(sealed, record="consentEvents/1") == b"US-CA"


def test_a_part_of_one_record_does_not_open_as_another(keys: RecordKeys) -> None:
    key = keys.unwrap(keys.make(ADA), subject=ADA)

    with pytest.raises(SealBroken):
        key.open(key.seal(b"US-CA", record="consentEvents/1"), record="consentEvents/2")


def test_a_key_cannot_be_moved_to_another_person(keys: RecordKeys) -> None:
    with pytest.raises(SealBroken):
        keys.unwrap(keys.make(ADA), subject=BOB)


def test_every_key_made_is_another_one(keys: RecordKeys) -> None:
    sealed = keys.unwrap(keys.make(ADA), subject=ADA).seal(b"US-CA", record="1")

    with pytest.raises(SealBroken):
        keys.unwrap(keys.make(ADA), subject=ADA).open(sealed, record="1")


def test_the_key_is_read_from_a_file(tmp_path: Path, keys: RecordKeys) -> None:
    file = tmp_path / "record.key"
    file.write_text("00" * 32 + "\n")

    assert RecordKeys.read(file).unwrap(keys.make(ADA), subject=ADA)


@pytest.mark.parametrize("content", [None, "", "xyz", "00" * 31, "é"])
def test_a_file_without_such_a_key_is_refused_with_its_name_and_the_remedy(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "record.key"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(RecordKeyInvalid, match=r"record\.key: .*openssl rand -hex 32"):
        RecordKeys.read(file)
