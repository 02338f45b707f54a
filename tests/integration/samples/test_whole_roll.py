from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from deploy.samples import Roll, build_roll
from deploy.samples.sources import open_library

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Roll:
    pillow_heif.register_heif_opener()
    wheels = open_library(tmp_path_factory.mktemp("cache"), fetch=lambda package, folder: None)
    return build_roll(tmp_path_factory.mktemp("roll"), now=NOW, library=wheels)


def test_the_wheels_alone_make_a_roll_that_says_what_is_missing(roll: Roll) -> None:
    assert len(roll.files) >= 40
    assert roll.missing_packages == ("gcompris-qt-data", "palapeli-data")
    assert "could not be had" in (roll.folder / "ROLL.md").read_text("utf-8")


def test_every_event_and_kind_is_there(roll: Roll) -> None:
    events = Counter(row.event for row in roll.files)
    assert set(events) >= {"trip", "celebration", "pets", "everyday", "outdoors", "papers", "screens", "older"}
    kinds = Counter(row.kind for row in roll.files)
    assert (kinds["receipt"], kinds["document"], kinds["screenshot"]) == (4, 2, 5)


def test_every_picture_can_be_opened_and_is_of_a_phones_size(roll: Roll) -> None:
    for row in roll.files:
        with Image.open(roll.pictures / row.file) as image:
            image.load()
            assert max(image.size) >= 1080


def test_spoilt_pictures_are_dark_or_soft(roll: Roll) -> None:
    assert sum(row.blurred for row in roll.files) >= 3
    assert sum(row.dark for row in roll.files) >= 1


def test_the_clock_of_each_file_is_its_time_of_capture(roll: Roll) -> None:
    for row in roll.files:
        modified = Path(roll.pictures / row.file).stat().st_mtime
        assert modified == pytest.approx(row.taken_at.timestamp(), abs=1)


def test_the_same_roll_is_found_again(roll: Roll) -> None:
    assert not build_roll(roll.folder, now=NOW).built
