"""Times in the names of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.picture_files.names import read_name

NOON = "2019-04-05T10:11:12"


@pytest.mark.parametrize(
    ("name", "time", "precision"),
    [
        ("IMG-20190405-WA0001.jpg", "2019-04-05T00:00:00", "DAY"),
        ("VID-20190405-WA0001.mp4", "2019-04-05T00:00:00", "DAY"),
        ("signal-2019-04-05-101112.jpg", NOON, "SECOND"),
        ("signal-2019-04-05-10-11-12-123.jpg", NOON, "SECOND"),
        ("PXL_20190405_101112123.jpg", NOON + "+00:00", "SECOND"),
        ("PXL_20190405_101112123.PORTRAIT.jpg", NOON + "+00:00", "SECOND"),
        ("Screenshot_20190405-101112.png", NOON, "SECOND"),
        ("Screenshot_2019-04-05-10-11-12-123_com.example.jpg", NOON, "SECOND"),
        ("Screenshot 2019-04-05 at 10.11.12.png", NOON, "SECOND"),
        ("Screen Shot 2019-04-05 at 2.11.12\u202fPM.png", "2019-04-05T14:11:12", "SECOND"),
        ("Capture d’écran 2019-04-05 à 10.11.12.png", NOON, "SECOND"),
        ("IMG_20190405_101112.jpg", NOON, "SECOND"),
        ("IMG_20190405_101112_1.jpg", NOON, "SECOND"),
        ("20190405_101112(0).jpg", NOON, "SECOND"),
        ("20190405101112.jpg", NOON, "SECOND"),
        ("00000IMG_00000_BURST20190405101112345_COVER.jpg", NOON, "SECOND"),
        ("WhatsApp Image 2019-04-05 at 10.11.12.jpeg", NOON, "SECOND"),
        ("photo_2019-04-05_10-11-12.jpg", NOON, "SECOND"),
        ("2019-04-05 10.11.12.jpg", NOON, "SECOND"),
        ("2019-04-05 10.11.jpg", "2019-04-05T10:11:00", "MINUTE"),
        ("WP_20190405_10_11_12_Pro.jpg", NOON, "SECOND"),
        ("IMG_20190405_0012.jpg", "2019-04-05T00:00:00", "DAY"),
        ("IMG_20190405_251112.jpg", "2019-04-05T00:00:00", "DAY"),
        ("sea 1999-12-31.png", "1999-12-31T00:00:00", "DAY"),
        ("mmexport1554459072123.jpg", NOON + "+00:00", "SECOND"),
        ("2012-01-01 party/IMG-20190405-WA0001.jpg", "2019-04-05T00:00:00", "DAY"),
    ],
)
def test_a_name_says_when(name: str, time: str, precision: str) -> None:
    moment = read_name(name)
    assert moment is not None
    assert (moment.time.isoformat(), str(moment.precision)) == (time, precision)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "DSC_0001.jpg",
        "IMG_1234.JPG",
        "12345678.jpg",
        "IMG_20191305.jpg",
        "IMG_20190230.jpg",
        "received_20190405101112333444.jpg",
        "2019/04/05/IMG_1.jpg",
        "scan 18990101.jpg",
        "photo.jpg",
        "99999999999999.jpg",
        "2019-0405.jpg",
    ],
)
def test_other_digits_are_no_time(name: str) -> None:
    assert read_name(name) is None


@given(st.text(max_size=300))
def test_no_name_raises(name: str) -> None:
    read_name(name)
    read_name(f"IMG_2019{name}0405_101112")
