import io

import pytest
from PIL import Image

from services.picture_files.jpeg import Segment, bare_jpeg, lacks_end_marker, walk_jpeg
from services.picture_files.walking import Malformed, Walker
from tests.unit.ingest.pictures import exif_block, motion_photo, picture, progressive_jpeg

END = 0xD9
WHOLE = {
    "plain": picture("JPEG", 320, 240),
    "progressive": progressive_jpeg(320, 240),
    "with EXIF": picture("JPEG", 320, 240, exif=exif_block("2026:02:03 04:05:06")),
}


def walked(data: bytes, step: int = 1 << 20) -> list[Segment]:
    segments: list[Segment] = []
    walker = Walker(walk_jpeg(segments.append))
    for start in range(0, len(data), step):
        walker.feed(data[start : start + step])
    assert walker.result is True
    return segments


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_segments_follow_one_another_from_the_start_to_the_end_marker(data: bytes) -> None:
    segments = walked(data)
    assert [segment.start for segment in segments] == [2, *(segment.end for segment in segments[:-1])]
    assert (segments[-1].marker, segments[-1].end) == (END, len(data))


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_size_of_chunks_changes_nothing(step: int) -> None:
    assert walked(WHOLE["progressive"], step) == walked(WHOLE["progressive"])


def test_the_walk_finds_the_size() -> None:
    segments = walked(WHOLE["with EXIF"])
    assert [segment.frame_size for segment in segments if segment.frame_size] == [(320, 240)]


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_bare_jpeg_is_the_same_picture_without_its_metadata(data: bytes) -> None:
    bare = bare_jpeg(data)
    assert bare is not None
    assert b"Exif" not in bare
    assert Image.open(io.BytesIO(bare)).tobytes() == Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize("junk", [b"abc", b"\xff\xff\xff", b"\xff\0\xff\0", b"\0" * 9, b"\xff\xd3"])
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_bytes_between_segments_are_passed_over(junk: bytes, step: int) -> None:
    data = WHOLE["plain"]
    at = data.index(b"\xff\xdb")
    markers = [segment.marker for segment in walked(data[:at] + junk + data[at:], step) if segment.marker != 0xD3]
    assert markers == [segment.marker for segment in walked(data)]


@pytest.mark.parametrize("step", [1, 1 << 20])
@pytest.mark.parametrize("cut", [1, 2, 900])
def test_a_file_that_ends_in_its_picture_data_lacks_its_end_marker(cut: int, step: int) -> None:
    segments: list[Segment] = []
    walker = Walker(walk_jpeg(segments.append))
    data = WHOLE["plain"][:-cut]
    for start in range(0, len(data), step):
        walker.feed(data[start : start + step])
    walker.finish()
    assert walker.result is False
    assert (segments[-1].marker, segments[-1].end) == (0xDA, len(data))
    assert lacks_end_marker(data)
    assert bare_jpeg(data) is None


def test_a_file_that_ends_before_its_picture_data_is_none() -> None:
    data = WHOLE["plain"]
    walker = Walker(walk_jpeg(lambda _: None))
    walker.feed(data[: data.index(b"\xff\xda")])
    walker.finish()
    assert walker.result is None
    assert not lacks_end_marker(data[:100])
    assert not lacks_end_marker(data)


def test_fill_bytes_before_a_marker_and_a_film_behind_the_end_are_no_fault() -> None:
    data = motion_photo(64, 48)
    assert bare_jpeg(data[:2] + b"\xff\xff" + data[2:]) is not None


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.9, 0.999])
def test_a_jpeg_cut_short_is_not_whole(share: float) -> None:
    data = WHOLE["plain"]
    assert bare_jpeg(data[: int(len(data) * share)]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG" + bytes(60),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x01",
        b"\xff\xd8\xff\x02\x00\x02",
    ],
    ids=["no start", "no picture", "impossible length", "reserved marker"],
)
def test_what_cannot_be_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        walked(data)
    assert bare_jpeg(data) is None


def test_a_marker_that_cannot_follow_a_scan_is_malformed() -> None:
    data = bytearray(WHOLE["plain"])
    data[len(data) // 2 : len(data) // 2 + 2] = b"\xff\xc0"
    with pytest.raises(Malformed, match="altered"):
        walked(bytes(data))
