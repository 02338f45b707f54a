"""Capture time: the best of all sources, none of it still to come, the same for everybody who reads the bytes."""

import struct
from datetime import UTC, datetime, timedelta

import pytest
from PIL import ExifTags, Image

from services.picture_files.blocks import Blocks
from services.picture_files.capture_time import Source, capture_time, embedded_time, file_time, name_time
from services.picture_files.timestamps import Precision
from tests.unit.picture_files.metadata import iptc_block, xmp_packet

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
ORIGINAL, DIGITIZED, CHANGE = 0x9003, 0x9004, 0x0132


def exif(
    first: dict[int, object] | None = None,
    details: dict[int, object] | None = None,
    gps: dict[int, object] | None = None,
) -> bytes:
    block = Image.Exif()
    block.update(first or {})
    block.get_ifd(ExifTags.IFD.Exif).update(details or {})
    block.get_ifd(ExifTags.IFD.GPSInfo).update(gps or {})
    return block.tobytes()


def said(blocks: Blocks) -> tuple[str, str, str] | None:
    taken = embedded_time(blocks, NOW)
    return None if taken is None else (taken.time.isoformat(), str(taken.source), str(taken.precision))


FULL = Blocks(
    exif=exif(
        {CHANGE: "2026:11:23 10:00:00"},
        {ORIGINAL: "2026:11:21 10:00:00", 0x9011: "+02:00", 0x9291: "25", DIGITIZED: "2026:11:22 10:00:00"},
    ),
    xmp=xmp_packet('xmp:CreateDate="2026-11-24T10:00"'),
)


def test_the_shutter_goes_before_all() -> None:
    assert said(FULL) == ("2026-11-21T10:00:00.250000+02:00", "EXIF_ORIGINAL", "SECOND")


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (Blocks(exif=exif({}, {DIGITIZED: "2026:11:21"})), ("2026-11-21T00:00:00", "EXIF_DIGITIZED", "DAY")),
        (
            Blocks(exif=exif({ORIGINAL: "2026:11:21 10:00:00", 0x9011: "+02:00"})),
            ("2026-11-21T10:00:00+02:00", "EXIF_ORIGINAL", "SECOND"),
        ),
        (
            Blocks(exif=exif({CHANGE: "2026:11:21 10:00:00"}, {0x9010: "-01:00"})),
            ("2026-11-21T10:00:00-01:00", "EXIF_CHANGE", "SECOND"),
        ),
        (Blocks(xmp=xmp_packet('exif:DateTimeOriginal="2026-11-21"')), ("2026-11-21T00:00:00", "XMP", "DAY")),
        (Blocks(xmp=xmp_packet('photoshop:DateCreated="2026-11"')), ("2026-11-01T00:00:00", "XMP", "MONTH")),
        (Blocks(xmp=xmp_packet('xmp:ModifyDate="2012-05-05T10:00Z"')), ("2012-05-05T10:00:00+00:00", "XMP", "MINUTE")),
        (Blocks(iptc=iptc_block(_55="20261121")), ("2026-11-21T00:00:00", "IPTC", "DAY")),
        (
            Blocks(iptc=iptc_block(_55="20261121", _60="100000+0200")),
            ("2026-11-21T10:00:00+02:00", "IPTC", "SECOND"),
        ),
        (Blocks(iptc=iptc_block(_62="20261121", _63="100000")), ("2026-11-21T10:00:00", "IPTC", "SECOND")),
        (Blocks(container="Sat, 21 Nov 2026 10:00:00 +0200"), ("2026-11-21T10:00:00+02:00", "CONTAINER", "SECOND")),
        (
            Blocks(exif=exif(gps={29: "2026:11:21", 7: (10.0, 5.0, 3.5)})),
            ("2026-11-21T10:05:03.500000+00:00", "GPS", "SECOND"),
        ),
        (Blocks(exif=exif(gps={29: "2026:11:21"})), ("2026-11-21T00:00:00+00:00", "GPS", "DAY")),
        (Blocks(exif=exif(gps={29: "2026:11:21", 7: (10.0, 99.0, 3.5)})), ("2026-11-21T00:00:00+00:00", "GPS", "DAY")),
    ],
)
def test_every_source_is_read(blocks: Blocks, expected: tuple[str, str, str]) -> None:
    assert said(blocks) == expected


@pytest.mark.parametrize(
    "nonsense",
    [
        "2099:01:01 00:00:00",
        "0001:01:01 00:00:00",
        "0000:00:00 00:00:00",
        "9999:12:31 23:59:59",
        "2026:12:03 12:00:00",
        "    :  :  ",
    ],
)
def test_what_cannot_be_gives_way_to_the_next_source(nonsense: str) -> None:
    assert said(Blocks(exif=exif({}, {ORIGINAL: nonsense}))) is None
    later = Blocks(exif=exif({}, {ORIGINAL: nonsense, DIGITIZED: "2026:11:21 10:00:00"}))
    assert said(later) == ("2026-11-21T10:00:00", "EXIF_DIGITIZED", "SECOND")


def test_a_wall_clock_may_be_ahead_as_far_as_zones_go() -> None:
    assert said(Blocks(exif=exif({}, {ORIGINAL: "2026:12:02 01:59:00"}))) is not None
    assert said(Blocks(exif=exif({}, {ORIGINAL: "2026:12:02 01:59:00", 0x9011: "+00:00"}))) is None
    assert said(Blocks(exif=exif({}, {ORIGINAL: "2026:12:02 01:59:00", 0x9011: "+14:00"}))) is not None


def test_nothing_is_taken_after_its_last_change() -> None:
    changed = exif({CHANGE: "2026:11:21 10:00:00"})
    earlier, later = xmp_packet('xmp:CreateDate="2012-05-05"'), xmp_packet('xmp:CreateDate="2026-11-25"')
    assert said(Blocks(exif=changed, xmp=earlier)) == ("2012-05-05T00:00:00", "XMP", "DAY")
    assert said(Blocks(exif=changed, xmp=later)) == ("2026-11-21T10:00:00", "EXIF_CHANGE", "SECOND")


def test_names_then_the_files_own_time_stand_in() -> None:
    modified = NOW.timestamp() - 3600
    for blocks, name, source in (
        (FULL, "IMG-20190405-WA0001.jpg", Source.EXIF_ORIGINAL),
        (Blocks(), "IMG-20190405-WA0001.jpg", Source.FILE_NAME),
        (Blocks(), "IMG_0001.jpg", Source.FILE_TIME),
        (Blocks(), "IMG-20990405-WA0001.jpg", Source.FILE_TIME),
    ):
        taken = capture_time(blocks, name, modified, NOW)
        assert taken is not None
        assert taken.source is source
    assert capture_time(Blocks(), "IMG_0001.jpg", NOW.timestamp() + 86_400, NOW) is None


@pytest.mark.parametrize(
    ("name", "modified", "source"),
    [
        ("IMG-20261121-WA0001.jpg", datetime(2026, 11, 21, 10, tzinfo=UTC), Source.FILE_TIME),
        ("IMG-20261121-WA0001.jpg", datetime(2026, 11, 20, 10, tzinfo=UTC), Source.FILE_TIME),
        ("IMG-20261121-WA0001.jpg", datetime(2026, 11, 22, 11, tzinfo=UTC), Source.FILE_TIME),
        ("IMG-20261121-WA0001.jpg", datetime(2026, 11, 22, 12, tzinfo=UTC), Source.FILE_NAME),
        ("IMG-20261121-WA0001.jpg", datetime(2026, 11, 20, 9, tzinfo=UTC), Source.FILE_NAME),
        ("IMG_20261121_101112.jpg", datetime(2026, 11, 21, 10, tzinfo=UTC), Source.FILE_NAME),
    ],
)
def test_the_files_own_time_goes_before_a_name_that_tells_its_day_alone(
    name: str, modified: datetime, source: Source
) -> None:
    taken = capture_time(Blocks(), name, modified.timestamp(), NOW)
    assert taken is not None
    assert taken.source is source


@pytest.mark.parametrize(
    ("modified", "said"),
    [
        (datetime(2026, 11, 21, 8, 11, 12, tzinfo=UTC), "2026-11-21T10:11:12+02:00"),
        (datetime(2026, 11, 21, 13, 41, 11, tzinfo=UTC), "2026-11-21T10:11:12-03:30"),
        (datetime(2026, 11, 21, 8, 18, 12, tzinfo=UTC), "2026-11-21T10:11:12"),
        (datetime(2026, 11, 28, 8, 11, 12, tzinfo=UTC), "2026-11-21T10:11:12"),
    ],
)
def test_the_zone_of_the_clock_in_a_name_is_learnt_from_the_files_own_time(modified: datetime, said: str) -> None:
    taken = capture_time(Blocks(), "IMG_20261121_101112.jpg", modified.timestamp(), NOW)
    assert taken is not None
    assert (taken.time.isoformat(), taken.source) == (said, Source.FILE_NAME)


@pytest.mark.parametrize("modified", [0.0, -1.0, float("nan"), float("inf"), 1e300, NOW.timestamp() + 3600])
def test_a_files_own_time_that_cannot_be_is_none(modified: float) -> None:
    assert file_time(modified, NOW) is None


def test_a_day_that_has_begun_somewhere_is_no_future() -> None:
    assert name_time("IMG-20261202-WA0001.jpg", NOW) is not None
    assert name_time("IMG-20261202-WA0001.jpg", NOW - timedelta(hours=12)) is None


def test_precision_is_that_of_the_source() -> None:
    taken = name_time("IMG-20261121-WA0001.jpg", NOW)
    assert taken is not None
    assert taken.precision is Precision.DAY


def test_a_tag_of_a_wrong_type_is_read_all_the_same() -> None:
    text = b"2026:11:21 10:00:00\0"
    for kind in (1, 2, 7):
        entry = struct.pack(">HHLL", ORIGINAL, kind, len(text), 26)
        block = b"MM\0*\0\0\0\x08" + struct.pack(">H", 1) + entry + b"\0\0\0\0" + text
        assert said(Blocks(exif=block)) == ("2026-11-21T10:00:00", "EXIF_ORIGINAL", "SECOND")
