"""From a folder of photos to ideas, through every service and server."""

from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.harness import Row, RunningStack
from tests.e2e.pictures import FACE

WHO = "way"


@pytest.fixture(scope="module")
def answers(stack: RunningStack, roll: Path) -> dict[str, Row]:
    return stack.bring_in(roll, WHO)


@pytest.fixture(scope="module")
def findings(stack: RunningStack, answers: dict[str, Row]) -> dict[str, Row]:
    return stack.findings(WHO)


def test_without_a_grant_nothing_is_uploaded(stack: RunningStack, roll: Path) -> None:
    assert stack.failure("import", str(roll), "--subject", "nobody")["reason"] == "CONSENT_NEEDED"
    assert set(stack.rows_of("ingest", "nobody").values()) == {0}
    assert set(stack.rows_of("retention", "nobody").values()) == {0}


def test_every_file_is_stored(answers: dict[str, Row]) -> None:
    assert {row["outcome"] for row in answers.values()} == {"stored"}


def test_a_second_import_finds_everything_known(stack: RunningStack, roll: Path, answers: dict[str, Row]) -> None:
    again = stack.bring_in(roll, WHO)
    assert {row["outcome"] for row in again.values()} == {"known"}
    assert set(again) == set(answers)


def test_every_photo_is_understood(findings: dict[str, Row], answers: dict[str, Row]) -> None:
    assert set(findings) == set(answers)
    assert {row["state"] for row in findings.values()} == {"done"}


def test_the_face_is_found_where_it_is(findings: dict[str, Row]) -> None:
    faces = findings[FACE]["faces"]
    assert isinstance(faces, list)
    x, y, width, height = faces[0]["box"]
    side = 1280 / 512
    assert 170 * side < x + width / 2 < 280 * side
    assert 60 * side < y + height / 2 < 180 * side
    assert faces[0]["score"] >= 0.5


def test_near_duplicates_are_grouped_and_others_not(findings: dict[str, Row]) -> None:
    assert findings["IMG_0003.jpg"]["duplicate_group"] == findings["IMG_0007.jpg"]["duplicate_group"] is not None
    assert findings["IMG_0001.jpg"]["duplicate_group"] is None


def test_a_blurred_shot_is_less_sharp_than_its_original(findings: dict[str, Row]) -> None:
    assert float(str(findings["IMG_0008.jpg"]["sharpness"])) < float(str(findings["IMG_0002.jpg"]["sharpness"])) / 2


def test_positions_are_read_under_location(findings: dict[str, Row]) -> None:
    position = findings[FACE]["position"]
    assert isinstance(position, list)
    assert position == pytest.approx([45.76, 4.84], abs=1e-3)


def test_the_cat_is_seen(findings: dict[str, Row]) -> None:
    tags = findings["IMG_0003.jpg"]["tags"]
    assert isinstance(tags, list)
    assert "cat" in [name for name, _ in tags]


def test_ideas_become_pictures(stack: RunningStack, answers: dict[str, Row], tmp_path: Path) -> None:
    ideas = stack.rows("ideas", "--subject", WHO, "--save", str(tmp_path))
    collages = [idea for idea in ideas if idea["kind"] == "COLLAGE"]
    assert collages
    for idea in ideas:
        renditions = idea["renditions"]
        assert isinstance(renditions, list)
        for rendition in renditions:
            with Image.open(tmp_path / rendition["file"]) as picture:
                picture.load()
                assert picture.size == (rendition["width"], rendition["height"])
                assert max(picture.size) >= 1440
    assert len({rendition["layout"] for rendition in collages[0]["renditions"]}) == 3  # type: ignore[attr-defined]


def test_no_idea_shows_the_blurred_shot_or_a_double(stack: RunningStack, answers: dict[str, Row]) -> None:
    for idea in stack.rows("ideas", "--subject", WHO):
        media = idea["media"]
        assert isinstance(media, list)
        if idea["kind"] != "TIDY_UP":
            assert "IMG_0008.jpg" not in media
            assert not {"IMG_0003.jpg", "IMG_0007.jpg"} <= set(media)


def test_titles_come_in_french(stack: RunningStack, answers: dict[str, Row]) -> None:
    english = [idea["title"] for idea in stack.rows("ideas", "--subject", WHO, "--language", "en")]
    french = [idea["title"] for idea in stack.rows("ideas", "--subject", WHO, "--language", "fr")]
    assert len(english) == len(french)
    assert not set(english) & set(french)


def test_objects_have_random_names_and_hold_no_picture(stack: RunningStack, answers: dict[str, Row]) -> None:
    for bucket, names in stack.objects().items():
        assert names, bucket
        assert not [name for name in names if "IMG" in name or "way" in name]
