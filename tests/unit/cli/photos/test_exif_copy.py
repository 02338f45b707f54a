"""EXIF for a copy: all that can be written again, whatever the file holds."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from services.cli.photos.exif_copy import MAX_BYTES, exif_copy
from services.picture_files.exif import read_position

BASE, GPS, IFD = ExifTags.Base, ExifTags.GPS, ExifTags.IFD
ASCII, SHORT, UNDEFINED = 2, 3, 7


Tags = dict[int, tuple[int, int, bytes]]


def tiff(*blocks: tuple[int | None, Tags]) -> bytes:
    """Return an EXIF block with IFD0 and what it points to, each tag with the type, count and bytes that are said."""
    ifds = [dict(tags) for _, tags in blocks]
    for pointer, _ in blocks:
        if pointer is not None:
            ifds[0][pointer] = (4, 1, bytes(4))
    starts, place = [], 8
    for tags in ifds:
        starts.append(place)
        place += 6 + sum(12 + len(value) + len(value) % 2 for _, _, value in tags.values())
    for start, (pointer, _) in zip(starts, blocks, strict=True):
        if pointer is not None:
            ifds[0][pointer] = (4, 1, struct.pack(">L", start))
    body = b"".join(_ifd(tags, start) for tags, start in zip(ifds, starts, strict=True))
    return b"Exif\0\0MM\0*\0\0\0\x08" + body


def _ifd(tags: Tags, start: int) -> bytes:
    head, data, at = struct.pack(">H", len(tags)), b"", start + 6 + 12 * len(tags)
    for tag, (kind, count, value) in sorted(tags.items()):
        padded = value + bytes(len(value) % 2)
        inline = len(value) <= 4
        head += struct.pack(">HHL", tag, kind, count) + (value.ljust(4, b"\0") if inline else struct.pack(">L", at))
        data, at = data + padded, at + len(padded)
    return head + bytes(4) + data


def text(value: str) -> tuple[int, int, bytes]:
    return ASCII, len(value) + 1, value.encode() + b"\0"


def rationals(*pairs: tuple[int, int]) -> tuple[int, int, bytes]:
    return 5, len(pairs), b"".join(struct.pack(">LL", *pair) for pair in pairs)


def loaded(block: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(block)
    return exif


TAKEN: Tags = {BASE.DateTimeOriginal: text("2026:11:14 15:02:03"), BASE.OffsetTimeOriginal: text("+01:00")}
LYON: Tags = {
    GPS.GPSLatitudeRef: text("N"), GPS.GPSLatitude: rationals((45, 1), (45, 1), (0, 1)),
    GPS.GPSLongitudeRef: text("E"), GPS.GPSLongitude: rationals((4, 1), (50, 1), (0, 1)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("place", "tag", "value"),
    [
        (IFD.Exif, BASE.ExposureTime, text("1/250")),
        (IFD.Exif, BASE.FNumber, text("f/1.8")),
        (None, BASE.XResolution, text("72 dpi")),
        (None, BASE.Software, (SHORT, 1, b"\0\7")),
        (None, BASE.ImageDescription, (UNDEFINED, 6, b"\xff\xfe\0abc")),
        (IFD.Exif, BASE.UserComment, (SHORT, 3, b"\0\1\0\2\0\3")),
        (IFD.Exif, BASE.MakerNote, (UNDEFINED, 64_000, bytes(64_000))),
        (IFD.GPSInfo, GPS.GPSAltitude, text("200 m")),
        (IFD.GPSInfo, GPS.GPSTimeStamp, text("10:00:00")),
    ],
)
def test_one_tag_that_is_odd_does_not_cost_the_others(
    place: int | None, tag: int, value: tuple[int, int, bytes]
) -> None:
    blocks: dict[int | None, Tags] = {
        None: {BASE.Orientation: (SHORT, 1, b"\0\6")}, IFD.Exif: dict(TAKEN), IFD.GPSInfo: dict(LYON),
    }  # fmt: skip
    blocks[place][tag] = value
    copied = exif_copy(loaded(tiff(*blocks.items())), with_position=True)
    assert len(copied) <= MAX_BYTES
    found = loaded(copied).get_ifd(IFD.Exif)
    assert loaded(copied)[BASE.Orientation] == 6
    assert (found[BASE.DateTimeOriginal], found[BASE.OffsetTimeOriginal]) == ("2026:11:14 15:02:03", "+01:00")
    assert read_position(loaded(copied)) == pytest.approx((45.75, 4.83333), abs=1e-4)


@pytest.mark.parametrize("odd", [False, True])
def test_the_position_goes_along_only_with_consent(odd: bool) -> None:
    gps = LYON | ({GPS.GPSAltitude: text("high")} if odd else {})
    copied = exif_copy(loaded(tiff((None, {}), (IFD.Exif, TAKEN), (IFD.GPSInfo, gps))), with_position=False)
    assert read_position(loaded(copied)) is None
    assert BASE.DateTimeOriginal in loaded(copied).get_ifd(IFD.Exif)


@pytest.mark.filterwarnings("ignore")
@given(noise=st.lists(st.tuples(st.integers(6, 400), st.integers(0, 255)), max_size=12))
@settings(max_examples=150, deadline=None)
def test_whatever_is_read_a_jpeg_can_be_written_with_it(noise: list[tuple[int, int]]) -> None:
    block = bytearray(tiff((None, {BASE.Orientation: (SHORT, 1, b"\0\6")}), (IFD.Exif, TAKEN), (IFD.GPSInfo, LYON)))
    for place, byte in noise:
        block[place % len(block)] = byte
    image = Image.new("RGB", (8, 8))
    try:
        exif = loaded(bytes(block))
    except (SyntaxError, ValueError):
        # What cannot be opened has no tags to copy.
        return
    image.save(io.BytesIO(), "JPEG", exif=exif_copy(exif, with_position=True))
