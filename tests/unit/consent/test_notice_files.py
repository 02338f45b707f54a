import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from services.consent.domain.notice import Notice, changed_purposes
from services.consent.errors import NoticeInvalid
from services.consent.notices.notice_files import parse_notice, read_notices
from services.keyring import Purpose
from tests.unit.consent.harness import FOLDER, POLICY

_HEADINGS = {
    "en": ("What is done:", "With what:", "How long:", "Who receives it: nobody", "If you refuse:", "To withdraw:"),
    "fr": ("Ce qui est fait :", "Avec quoi :", "Combien de temps :", "Qui les reçoit : personne", "Si vous refusez :"),
}
OFFERED = POLICY().offered
_FILE = max((FOLDER / "notices").glob("*.json"))


@pytest.fixture
def document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return read


def _notice(document: dict[str, Any]) -> Notice:
    return parse_notice(json.dumps(document).encode(), source="notice.json")


def test_a_notice_is_named_by_the_digest_of_its_canonical_bytes(document: dict[str, Any]) -> None:
    notice = _notice(document)

    assert hashlib.sha256(notice.canonical_json).hexdigest() == notice.digest


def test_the_layout_of_the_file_does_not_matter(document: dict[str, Any]) -> None:
    spread = parse_notice(json.dumps(document, indent=8, sort_keys=True).encode(), source="notice.json")

    assert _notice(document).digest == spread.digest


def test_any_change_of_a_word_makes_another_notice(document: dict[str, Any]) -> None:
    before = _notice(document)
    document["texts"]["fr"]["purposes"]["LOCATION"]["body"] += " "
    document["texts"]["fr"]["purposes"]["LOCATION"]["body"] += "Merci."

    after = _notice(document)

    assert before.digest != after.digest
    assert changed_purposes(before.bundle, after.bundle) == [Purpose.LOCATION]


def test_a_change_of_a_fact_changes_its_purpose(document: dict[str, Any]) -> None:
    before = _notice(document)
    document["purposes"]["FACE_GROUPING"]["retention_days"] = 20
    document["texts"]["en"]["title"] = "Your photos"

    assert changed_purposes(before.bundle, _notice(document).bundle) == [Purpose.FACE_GROUPING]


def test_a_new_locale_changes_every_purpose(document: dict[str, Any]) -> None:
    before = _notice(document)
    document["texts"]["de"] = document["texts"]["en"]

    assert changed_purposes(before.bundle, _notice(document).bundle) == [
        purpose for purpose in Purpose if purpose in OFFERED
    ]


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("purpose", sorted(OFFERED))
def test_every_text_says_how_long_who_receives_what_refusing_costs_and_how_to_withdraw(
    document: dict[str, Any], locale: str, purpose: Purpose
) -> None:
    body = document["texts"][locale]["purposes"][purpose]["body"]
    headings = {
        "en": ["What is done:", "With what:", "How long:", "Who receives it: nobody", "If you refuse:", "To withdraw:"],
        "fr": [
            "Ce qui est fait :",
            "Avec quoi :",
            "Combien de temps :",
            "Qui les reçoit : personne",
            "Si vous refusez :",
        ],
    }

    assert [heading for heading in headings[locale] if heading not in body] == []
    assert f"pellicule withdraw {purpose}" in body


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_texts_state_the_facts_of_the_bundle(document: dict[str, Any], locale: str) -> None:
    months = {"en": "{} months", "fr": "{} mois"}[locale]
    for purpose, facts in document["purposes"].items():
        body = document["texts"][locale]["purposes"][purpose]["body"]
        assert months.format(facts["validity_months"]) in body
        assert str(facts["retention_days"]) in body


def test_nobody_receives_anything(document: dict[str, Any]) -> None:
    assert [facts["recipients"] for facts in document["purposes"].values()] == [[]] * len(OFFERED)


def test_an_incomplete_notice_is_refused(document: dict[str, Any]) -> None:
    del document["texts"]["fr"]["purposes"]["LOCATION"]

    with pytest.raises(NoticeInvalid, match=r"notice\.json: .*texts\.fr\.purposes lacks LOCATION"):
        _notice(document)


def _without(document: dict[str, Any], purpose: str) -> dict[str, Any]:
    said = copy.deepcopy(document)
    for table in (said, *said["texts"].values()):
        del table["purposes"][purpose]
    return said


def test_a_notice_from_before_a_purpose_is_kept_beside_the_newest(tmp_path: Path, document: dict[str, Any]) -> None:
    before = _without(document, "LOCATION") | {"edition": "2026-01-01"}
    for said in (before, document):
        (tmp_path / f"{said['edition']}.json").write_text(json.dumps(said), encoding="utf-8")

    old, new = read_notices(tmp_path, OFFERED)

    assert changed_purposes(old.bundle, new.bundle) == [Purpose.LOCATION]


def test_the_newest_notice_says_something_about_every_purpose(tmp_path: Path, document: dict[str, Any]) -> None:
    (tmp_path / "new.json").write_text(json.dumps(_without(document, "LOCATION")), encoding="utf-8")

    with pytest.raises(NoticeInvalid, match=r"new\.json: purposes lacks LOCATION"):
        read_notices(tmp_path, OFFERED)


def test_the_newest_notice_speaks_of_nothing_that_is_not_offered(tmp_path: Path, document: dict[str, Any]) -> None:
    (tmp_path / "new.json").write_text(json.dumps(document), encoding="utf-8")

    with pytest.raises(NoticeInvalid, match=r"new\.json: purposes\.LOCATION: policy offers it nowhere"):
        read_notices(tmp_path, OFFERED - {Purpose.LOCATION})


def test_the_newest_notice_must_not_contradict_the_rules(tmp_path: Path, document: dict[str, Any]) -> None:
    document["purposes"]["CLOUD_PROCESSING"]["needs"] = ["LOCATION"]
    (tmp_path / "new.json").write_text(json.dumps(document), encoding="utf-8")

    with pytest.raises(NoticeInvalid, match=r"CLOUD_PROCESSING\.needs"):
        read_notices(tmp_path, OFFERED)


@pytest.mark.parametrize(
    ("place", "value"),
    [("edition", "soon"), ("schema", "pellicule.notice/9"), ("advertising", True), ("texts", {})],
)
def test_a_notice_out_of_its_schema_is_refused(document: dict[str, Any], place: str, value: object) -> None:
    document[place] = value

    with pytest.raises(NoticeInvalid, match=place):
        _notice(document)


def test_no_json_is_refused_with_the_files_name() -> None:
    with pytest.raises(NoticeInvalid, match=r"notice\.json: "):
        parse_notice(b"\xff\xfe", source="notice.json")


def test_notices_are_read_oldest_edition_first(tmp_path: Path, document: dict[str, Any]) -> None:
    for name, edition in [("a.json", "2027-01-01"), ("b.json", "2026-01-01")]:
        (tmp_path / name).write_text(json.dumps(document | {"edition": edition}), encoding="utf-8")

    assert [notice.bundle.edition for notice in read_notices(tmp_path, OFFERED)] == ["2026-01-01", "2027-01-01"]


def test_two_files_of_one_edition_are_refused(tmp_path: Path) -> None:
    for name in ["a.json", "b.json"]:
        (tmp_path / name).write_bytes(_FILE.read_bytes())

    with pytest.raises(NoticeInvalid, match="one edition"):
        read_notices(tmp_path, OFFERED)


def test_a_folder_without_notices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoticeInvalid, match="holds no notice"):
        read_notices(tmp_path, OFFERED)
