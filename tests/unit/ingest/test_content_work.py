"""Work of the checks at the door, in steps and bytes and never in seconds: a file of any kind costs what it is long."""

import struct
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.content.isobmff import walk_isobmff
from services.ingest.content.jpeg import walk_jpeg
from services.ingest.content.png import walk_png
from services.ingest.content.webp import walk_webp
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.ingest.errors import ContentRefused
from services.picture_files.heif_meta import read_meta
from services.picture_files.walking import MAX_PARTS, MAX_TAKE, Malformed, Take, Walk, Walker
from tests.unit.ingest.pictures import KINDS, picture

LIMITS = Limits(max_pixels=100_000_000, max_side=16_384)
PER_BYTE, BASE = 4, 200
PER_PART = 6


@dataclass
class Work:
    """What was done: reads, and bytes that were read."""

    reads: int = 0
    touched: int = 0

    def add(self, count: int) -> None:
        self.reads += 1
        self.touched += count


class Counted(bytes):
    """Bytes that count what is read of them, and of what is cut out of them."""

    work: Work

    @classmethod
    def of(cls, data: bytes, work: Work) -> "Counted":
        made = cls(data)
        made.work = work
        return made

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        if isinstance(found, int):
            self.work.add(1)
            return found
        self.work.add(len(found))
        return Counted.of(found, self.work)

    def __radd__(self, before: bytes) -> "Counted":
        self.work.add(len(before) + len(self))
        return Counted.of(bytes(before) + bytes(self), self.work)


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def iloc(*items: tuple[int, int], offset_size: int = 4, length_size: int = 4) -> bytes:
    """Return a box of items by id, each with as many extents as said."""
    body = struct.pack(">IBBH", 0, offset_size * 16 + length_size, 0, len(items))
    for item_id, extents in items:
        body += struct.pack(">HHH", item_id, 0, extents) + bytes(extents * (offset_size + length_size))
    return box(b"iloc", body)


def meta(*boxes: bytes) -> bytes:
    """Return the content of a `meta` box that is whole, with further boxes."""
    properties = box(b"ipco", box(b"ispe", struct.pack(">III", 0, 64, 48)))
    ipma = box(b"ipma", struct.pack(">IIHBB", 0, 1, 1, 1, 1))
    return bytes(4) + b"".join([box(b"pitm", struct.pack(">IH", 0, 1)), box(b"iprp", properties, ipma), *boxes])


def measured(body: bytes) -> Work:
    work = Work()
    with suppress(Malformed):
        read_meta(Counted.of(body, work))
    return work


HOSTILE = {
    "many boxes": meta(iloc((1, 1)), *[box(b"free")] * 40_000),
    "boxes that are nested": meta(iloc((1, 1)), box(b"iinf", bytes(6), *[box(b"infe", bytes(4))] * 20_000)),
    "many items": meta(iloc(*[(number, 0) for number in range(20_000)])),
    "many extents": meta(iloc(*[(number, 60_000) for number in range(8)])),
    "extents of no bytes": meta(iloc(*[(number, 65_535) for number in range(60_000)], offset_size=0, length_size=0)),
    "overlapping extents": meta(iloc(*[(1, 1000)] * 100)),
    "many associations": meta(iloc((1, 1))).replace(
        box(b"ipma", struct.pack(">IIHBB", 0, 1, 1, 1, 1)),
        box(b"ipma", struct.pack(">II", 0, 2**32 - 1), *[struct.pack(">HB", 1, 255) + bytes(255)] * 500),
    ),
    "a box without an end": meta(box(b"iloc")) + struct.pack(">I4s", 2**32 - 1, b"free"),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_the_description_of_a_heif_file_is_read_in_linear_time(body: bytes) -> None:
    work = measured(body)
    assert work.reads <= PER_BYTE * len(body) + BASE
    assert work.touched <= PER_BYTE * len(body) + BASE


boxes = st.recursive(
    st.builds(box, st.sampled_from([b"free", b"infe", b"ispe", b"irot", b"clap", b"pitm"]), st.binary(max_size=24)),
    lambda inner: st.builds(
        lambda kind, head, content: box(kind, head, *content),
        st.sampled_from([b"iprp", b"ipco", b"ipma", b"iinf", b"iloc", b"meta"]),
        st.binary(max_size=16),
        st.lists(inner, max_size=6),
    ),
    max_leaves=30,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(boxes, max_size=12).map(lambda found: bytes(4) + b"".join(found)) | st.binary(max_size=400))
def test_whatever_boxes_there_are_cost_what_they_are_long(body: bytes) -> None:
    for each in (body, meta(iloc((1, 1)), body[4:])):
        work = measured(each)
        assert max(work.reads, work.touched) <= PER_BYTE * len(each) + BASE


def counted(walk: Walk[Any], work: Work) -> Generator[Any, bytes, Any]:
    answer: bytes | None = None
    while True:
        try:
            want = next(walk) if answer is None else walk.send(answer)
        except StopIteration as end:
            return end.value
        work.add(want.size if isinstance(want, Take) else 0)
        answer = yield want


def walked(make: Callable[[int], Walk[Any]], data: bytes, step: int) -> Work:
    work = Work()
    with suppress(Malformed, ContentRefused):
        walker = Walker(counted(make(len(data)), work))
        for start in range(0, len(data), step):
            walker.feed(data[start : start + step])
    return work


WALKS: dict[str, Callable[[int], Walk[Any]]] = {
    "JPEG": lambda _: walk_jpeg(LIMITS),
    "PNG": lambda _: walk_png(LIMITS),
    "WEBP": partial(walk_webp, LIMITS),
    "HEIF": partial(walk_isobmff, MediaType.HEIC, LIMITS),
}
BEGINNINGS = {kind: picture(kind) for kind in WALKS}
FILLED = {
    "fill bytes": ("JPEG", b"\xff\xd8" + b"\xff" * 400_000),
    "empty segments": ("JPEG", b"\xff\xd8" + b"\xff\xfe\x00\x02" * 100_000),
    "restart markers": ("JPEG", b"\xff\xd8" + b"\xff\xd0" * 200_000),
    "empty chunks": ("PNG", picture("PNG")[:33] + (bytes(4) + b"teXt" + struct.pack(">I", 0x0D45D4B3)) * 80_000),
    "empty WebP chunks": ("WEBP", b"RIFF" + struct.pack("<I", 800_004) + b"WEBP" + (b"VP8X" + bytes(4)) * 100_000),
    "empty boxes": ("HEIF", box(b"ftyp", b"heicmif1") + box(b"free") * 100_000),
}


@pytest.mark.parametrize(("kind", "data"), FILLED.values(), ids=FILLED)
def test_a_file_of_nothing_but_parts_is_given_up(kind: str, data: bytes) -> None:
    work = walked(WALKS[kind], data, 1 << 16)
    assert work.reads <= PER_PART * MAX_PARTS + BASE


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(WALKS)),
    cut=st.integers(0, 600),
    tail=st.lists(st.binary(max_size=60) | st.sampled_from([b"\xff" * 300, bytes(300)]), max_size=8),
    step=st.sampled_from([1, 7, 4096]),
)
def test_a_walk_takes_as_many_steps_as_the_file_is_long(kind: str, cut: int, tail: list[bytes], step: int) -> None:
    data = BEGINNINGS[kind][:cut] + b"".join(tail)
    work = walked(WALKS[kind], data, step)
    assert work.reads <= PER_BYTE * len(data) + BASE


def test_a_part_that_comes_byte_by_byte_is_put_together_once() -> None:
    work, size = Work(), 20_000

    def take() -> Walk[bytes]:
        return (yield Take(size))

    walker = Walker(take())
    for _ in range(size):
        walker.feed(Counted.of(b"x", work))
    assert walker.result == b"x" * size
    assert work.touched <= PER_BYTE * size


def test_no_part_is_larger_than_a_walk_may_hold() -> None:
    def take() -> Walk[bytes]:
        return (yield Take(MAX_TAKE + 1))

    with pytest.raises(Malformed):
        Walker(take()).feed(b"x")


def test_every_kind_that_is_taken_is_measured() -> None:
    assert {MediaType(each) for each in KINDS.values()} - {MediaType.AVIF} == {
        MediaType.JPEG, MediaType.PNG, MediaType.WEBP, MediaType.HEIC,
    }  # fmt: skip
