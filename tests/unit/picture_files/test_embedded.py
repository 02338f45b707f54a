"""Embedded metadata: found in every format, wherever it stands, in pieces of any size; no file raises."""

import random
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.picture_files.blocks import MAX_BLOCK_BYTES, Blocks
from services.picture_files.capture_time import capture_time, embedded_time
from services.picture_files.embedded import EmbeddedReader, read_embedded
from services.picture_files.embedded_boxes import Held
from services.picture_files.isobmff_items import metadata_items
from services.picture_files.position import embedded_position
from tests.unit.ingest.pictures import exif_block, picture, png_chunk
from tests.unit.picture_files.metadata import (
    heif_with,
    iptc_block,
    jpeg_with,
    meta_last,
    png_with,
    raw_profile,
    segment,
    webp_with,
    xmp_packet,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
EXIF = exif_block("2026:11:21 10:00:00", "+02:00")
XMP = xmp_packet(
    'xmp:CreateDate="2026-11-20T10:00:00+02:00" exif:GPSLatitude="33,51.5S" exif:GPSLongitude="122,25.15W"'
)
IPTC = iptc_block(_55="20261119", _60="100000+0200")
ITXT = b"XML:com.adobe.xmp\0"

WITH_EXIF: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: jpeg_with(EXIF),
    "png": lambda: png_with((b"eXIf", EXIF.removeprefix(b"Exif\0\0"))),
    "png, late": lambda: png_with((b"eXIf", EXIF.removeprefix(b"Exif\0\0")), late=True),
    "png, raw profile": lambda: png_with((b"zTXt", raw_profile("exif", b"Exif\0\0" + EXIF.removeprefix(b"Exif\0\0")))),
    "png, raw profile of APP1": lambda: png_with((b"zTXt", raw_profile("APP1", EXIF))),
    "webp": lambda: webp_with(exif=EXIF),
    "heic": lambda: heif_with(exif=EXIF),
    "avif": lambda: heif_with("AVIF", exif=EXIF),
    "heic, meta last": lambda: meta_last(heif_with(exif=EXIF)),
    "avif, meta last": lambda: meta_last(heif_with("AVIF", exif=EXIF)),
}
WITH_XMP: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: jpeg_with(xmp=XMP),
    "png": lambda: png_with((b"iTXt", ITXT + b"\0\0\0\0" + XMP)),
    "png, packed": lambda: png_with((b"iTXt", ITXT + b"\1\0\0\0" + zlib.compress(XMP))),
    "png, raw profile": lambda: png_with((b"tEXt", b"Raw profile type xmp\0\nxmp\n 1\n" + XMP.hex().encode())),
    "webp": lambda: webp_with(xmp=XMP),
    "heic": lambda: heif_with(xmp=XMP),
    "avif": lambda: heif_with("AVIF", xmp=XMP),
    "heic, meta last": lambda: meta_last(heif_with(xmp=XMP)),
}
SAMPLES: list[Callable[[], bytes]] = [*WITH_EXIF.values(), *WITH_XMP.values(), lambda: jpeg_with(EXIF, XMP, IPTC)]


def in_pieces(data: bytes, step: int) -> Blocks:
    reader = EmbeddedReader()
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    return reader.blocks


def time_of(blocks: Blocks) -> str:
    taken = embedded_time(blocks, NOW)
    return "" if taken is None else f"{taken.source} {taken.time.isoformat()}"


@pytest.mark.parametrize("kind", WITH_EXIF)
def test_exif_is_found_in_every_format(kind: str) -> None:
    assert time_of(read_embedded(WITH_EXIF[kind]())) == "EXIF_ORIGINAL 2026-11-21T10:00:00+02:00"


@pytest.mark.parametrize("kind", WITH_XMP)
def test_xmp_is_found_in_every_format_with_time_and_place(kind: str) -> None:
    blocks = read_embedded(WITH_XMP[kind]())
    assert time_of(blocks) == "XMP 2026-11-20T10:00:00+02:00"
    assert embedded_position(blocks) == pytest.approx((-33.858333, -122.419167))


@pytest.mark.parametrize("prefix", [b"Exif\0\xff", b"EXIF\0\0", b"Exif\0\0Exif\0\0"])
def test_what_stands_before_the_header_does_not_matter(prefix: bytes) -> None:
    plain = jpeg_with(EXIF)
    block = prefix + EXIF.removeprefix(b"Exif\0\0")
    data = plain[:2] + segment(0xE1, block) + picture("JPEG")[2:]
    assert time_of(read_embedded(data)) == "EXIF_ORIGINAL 2026-11-21T10:00:00+02:00"


@pytest.mark.parametrize("offset", [0, 6, 10, 2**32 - 1])
def test_a_nonsense_offset_before_the_header_in_heic_does_not_matter(offset: int) -> None:
    data = heif_with(exif=EXIF)
    place = data.index(b"Exif\0\0", data.index(b"mdat"))
    changed = data[: place - 4] + struct.pack(">L", offset) + data[place:]
    assert time_of(read_embedded(changed)) == "EXIF_ORIGINAL 2026-11-21T10:00:00+02:00"


def test_iptc_is_found_in_jpeg_and_in_png() -> None:
    for data in (jpeg_with(iptc=IPTC), png_with((b"zTXt", raw_profile("iptc", IPTC)))):
        assert time_of(read_embedded(data)) == "IPTC 2026-11-19T10:00:00+02:00"


def test_a_png_says_when_it_was_made() -> None:
    said = png_with((b"tEXt", b"Creation Time\0Fri, 20 Nov 2026 10:00:00 +0200"))
    assert time_of(read_embedded(said)) == "CONTAINER 2026-11-20T10:00:00+02:00"
    original = png_with((b"tEXt", b"exif:DateTimeOriginal\0002026:11:20 10:00:00"))
    assert time_of(read_embedded(original)) == "CONTAINER 2026-11-20T10:00:00"
    changed = png_with((b"tIME", struct.pack(">H5B", 2012, 5, 5, 10, 0, 60)))
    assert time_of(read_embedded(changed)) == "CONTAINER 2012-05-05T10:00:59+00:00"


def test_bytes_between_segments_and_a_false_checksum_do_not_matter() -> None:
    data = jpeg_with(EXIF)
    assert read_embedded(data[:2] + b"\0junk\xff\xff" + data[2:]).exif is not None
    wrong = bytearray(png_with((b"eXIf", EXIF.removeprefix(b"Exif\0\0"))))
    wrong[wrong.index(b"IHDR") + 20] ^= 1
    assert read_embedded(bytes(wrong)).exif is not None


@pytest.mark.parametrize("step", [1, 7, 1000, 70_000])
def test_the_size_of_pieces_changes_nothing(step: int) -> None:
    for make in SAMPLES:
        data = make()
        assert in_pieces(data, step) == read_embedded(data)


@pytest.mark.parametrize("padding", [1, 65_535 - 200, 65_536, 300_000])
def test_a_block_behind_much_picture_data_is_held_until_it_is_known(padding: int) -> None:
    data = meta_last(heif_with(exif=EXIF), padding)
    assert time_of(read_embedded(data)) == time_of(in_pieces(data, 1000)) == "EXIF_ORIGINAL 2026-11-21T10:00:00+02:00"


@pytest.mark.parametrize("beginning", [b"II*\0", b"MM\0*", b"<?xpacket begin"])
def test_false_beginnings_cost_bounded_memory(beginning: bytes) -> None:
    held, piece = Held(), (beginning + bytes(4096)) * 16
    for count in range(256):
        held.pass_by(piece, count * len(piece))
    assert 0 < held.size <= 8 * 256 * 1024


def test_a_block_that_is_too_large_is_left_unread() -> None:
    large = b"eXIf", EXIF.removeprefix(b"Exif\0\0") + bytes(MAX_BLOCK_BYTES)
    assert read_embedded(png_with(large)).exif is None
    bomb = zlib.compress(bytes(50 * MAX_BLOCK_BYTES))
    assert read_embedded(png_with((b"zTXt", b"Raw profile type exif\0\0" + bomb))).exif is None


def test_a_description_that_names_endless_pieces_of_nothing_ends() -> None:
    infe = struct.pack(">L4sLHH4s", 21, b"infe", 2 << 24, 1, 0, b"Exif") + b"\0"
    iinf = struct.pack(">LH", 0, 1) + infe
    # No bytes for offsets and lengths, 65,535 items of 65,535 pieces.
    iloc = struct.pack(">LBBH", 0, 0, 0, 65_535) + struct.pack(">HHH", 1, 0, 65_535) * 65_535
    boxes = b"".join(
        struct.pack(">L", 8 + len(body)) + kind + body for kind, body in ((b"iinf", iinf), (b"iloc", iloc))
    )
    assert metadata_items(bytes(4) + boxes) == []


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"GIF89a" + bytes(50), b"%PDF-1.7" + bytes(50), picture("JPEG")[:300]]
)
def test_other_files_say_nothing(data: bytes) -> None:
    assert read_embedded(data) == Blocks()


@given(seed=st.integers(0, 2**32), sample=st.integers(0, len(SAMPLES) - 1), noise=st.binary(min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_mutated_file_raises_and_all_readers_agree(seed: int, sample: int, noise: bytes) -> None:
    data, chance = bytearray(SAMPLES[sample]()), random.Random(seed)
    for _ in range(chance.randint(1, 10)):
        place = chance.randrange(len(data))
        data[place : place + (len(noise) if chance.random() < 0.7 else 0)] = noise
    del data[chance.randrange(len(data)) if chance.random() < 0.2 else len(data) :]
    blocks = read_embedded(bytes(data))
    assert in_pieces(bytes(data), chance.choice([5, 64, 4096])) == blocks
    taken, position = capture_time(blocks, "IMG_1.jpg", 1.0, NOW), embedded_position(blocks)
    assert taken is not None
    assert taken.time.replace(tzinfo=None) <= datetime(2026, 12, 3)  # noqa: DTZ001
    assert position is None or (abs(position[0]) <= 90 and abs(position[1]) <= 180)


@given(
    tags=st.dictionaries(
        st.sampled_from([0x0132, 0x8769, 0x8825, 0x9003, 0x9004, 0x9011, 0x9291, 1, 2, 3, 4, 7, 29]),
        st.tuples(st.integers(0, 14), st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4)),
        min_size=1,
    ),
    tail=st.binary(max_size=200),
)
@settings(max_examples=300, deadline=None)
def test_no_tags_of_any_type_raise(tags: dict[int, tuple[int, int, bytes]], tail: bytes) -> None:
    entries = b"".join(
        struct.pack(">HHL", tag, kind, count) + value for tag, (kind, count, value) in sorted(tags.items())
    )
    blocks = Blocks(exif=b"MM\0*\0\0\0\x08" + struct.pack(">H", len(tags)) + entries + bytes(4) + tail)
    embedded_time(blocks, NOW)
    embedded_position(blocks)


@given(block=st.binary(max_size=300))
def test_no_resources_raise(block: bytes) -> None:
    embedded_time(Blocks(iptc=block, xmp=block, exif=block, container=block.decode("latin-1")), NOW)
    read_embedded(jpeg_with(iptc=b"8BIM" + block))
    read_embedded(png_with((b"zTXt", b"Raw profile type 8bim\0\0" + block)) + png_chunk(b"tEXt", block))
    read_embedded(segment(0xD8, b"")[:2] + segment(0xED, b"Photoshop 3.0\0" + block))
