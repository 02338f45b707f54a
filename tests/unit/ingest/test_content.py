import io
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.ingest.content.check import ContentCheck
from services.ingest.content.picture import Picture
from services.ingest.domain.limits import Limits
from services.ingest.domain.media import MediaType
from services.ingest.errors import (
    ContentRefused,
    MediaCorrupt,
    MediaEmpty,
    MediaTooManyPixels,
    MediaTypeUnsupported,
)
from tests.unit.ingest.pictures import (
    KINDS,
    exif_block,
    motion_photo,
    picture,
    png_bomb,
    png_chunk,
    progressive_jpeg,
)
from tests.unit.ingest.untidy import UNTIDY

LIMITS = Limits(max_pixels=100_000_000, max_side=16_384)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def check(data: bytes, *, step: int = 1 << 20, announced: int | None = None, limits: Limits = LIMITS) -> Picture:
    content = ContentCheck(limits, len(data) if announced is None else announced)
    for start in range(0, len(data), step):
        content.feed(data[start : start + step])
    return content.finish()


class TestWholePictures:
    @EVERY_KIND
    def test_every_type_is_known_by_its_content(self, kind: str) -> None:
        found = check(picture(kind, 160, 120))
        assert (found.media_type, found.width, found.height) == (KINDS[kind], 160, 120)

    @EVERY_KIND
    @pytest.mark.parametrize("step", [1, 7, 1000])
    def test_the_size_of_chunks_changes_nothing(self, kind: str, step: int) -> None:
        data = picture(kind, 100, 80, exif=exif_block("2026:02:03 04:05:06"))
        assert check(data, step=step) == check(data)

    def test_a_progressive_jpeg_is_whole(self) -> None:
        assert check(progressive_jpeg(320, 240)).width == 320

    def test_a_film_behind_the_picture_is_no_fault(self) -> None:
        assert check(motion_photo(320, 240)).media_type is MediaType.JPEG

    def test_lossless_and_animated_webp_are_whole(self) -> None:
        lossless, animated = io.BytesIO(), io.BytesIO()
        first, second = (Image.open(io.BytesIO(picture(seed=seed))) for seed in (1, 2))
        first.save(lossless, "WEBP", lossless=True)
        first.save(animated, "WEBP", save_all=True, append_images=[second])
        assert (check(lossless.getvalue()).width, check(animated.getvalue()).height) == (64, 48)

    def test_a_turned_heic_has_its_upright_size(self) -> None:
        turned = picture("HEIF", 100, 60, exif=exif_block(orientation=6))
        found = check(turned)
        with Image.open(io.BytesIO(turned)) as upright:
            assert upright.size == (60, 100)
        assert (found.width, found.height, found.exif_turns) == (60, 100, False)


class TestUntidyPictures:
    @pytest.mark.parametrize("name", UNTIDY)
    @pytest.mark.parametrize("step", [1 << 20, 11])
    def test_what_every_viewer_shows_is_taken(self, name: str, step: int) -> None:
        found = check(UNTIDY[name], step=step if len(UNTIDY[name]) < 1 << 20 else 1 << 20)
        assert (found.width, found.height) == (160, 120)

    def test_untidy_pictures_are_held_to_the_limits(self) -> None:
        for data in UNTIDY.values():
            with pytest.raises(MediaTooManyPixels):
                check(data, limits=Limits(max_pixels=19_199, max_side=16_384))


class TestBrokenPictures:
    def test_nothing_is_no_picture(self) -> None:
        with pytest.raises(MediaEmpty):
            check(b"")

    @pytest.mark.parametrize(
        ("data", "detected"),
        [
            (b"Dear diary, today I took no photo at all, because it rained.\n" * 20, "text"),
            ("Häßliche Größen".encode() * 30, "text"),
            (b"GIF89a" + bytes(100), "gif"),
            (b"%PDF-1.7" + bytes(100), "pdf"),
            (b"\0\0\0\x18ftypmp42" + bytes(100), "video"),
            (b"RIFF\x24\0\0\0WAVEfmt " + bytes(100), "riff"),
            (bytes(100), "unknown"),
            (b"hi", "text"),
        ],
    )
    def test_what_is_no_picture_is_named(self, data: bytes, detected: str) -> None:
        with pytest.raises(MediaTypeUnsupported) as refused:
            check(data)
        assert refused.value.metadata["detected"] == detected

    @pytest.mark.parametrize("kind", ["WEBP", "HEIF", "AVIF"])
    @pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.999])
    def test_a_picture_cut_short_is_refused(self, kind: str, share: float) -> None:
        whole = picture(kind, 320, 240)
        with pytest.raises(MediaCorrupt):
            check(whole[: int(len(whole) * share)])

    @pytest.mark.parametrize(("kind", "data_begin"), [("JPEG", b"\xff\xda"), ("PNG", b"IDAT")])
    def test_a_picture_cut_before_its_data_is_refused(self, kind: str, data_begin: bytes) -> None:
        whole = picture(kind, 320, 240, exif=exif_block("2026:02:03 04:05:06"))
        for length in range(whole.index(data_begin)):
            with pytest.raises(ContentRefused):
                check(whole[:length])

    def test_a_jpeg_whose_data_were_overwritten_is_refused(self) -> None:
        data = bytearray(picture("JPEG", 640, 480))
        middle = len(data) // 2
        data[middle : middle + 2000] = random.Random(1).randbytes(2000)
        with pytest.raises(MediaCorrupt, match="altered"):
            check(bytes(data))

    @given(position=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
    @settings(max_examples=60, deadline=None)
    def test_a_png_with_any_bit_flipped_in_header_or_picture_data_is_refused(self, position: int, bit: int) -> None:
        data = bytearray(picture("PNG", 40, 30))
        guarded = [*range(16, 33), *range(41, len(data) - 12)]
        data[guarded[position % len(guarded)]] ^= 1 << bit
        with pytest.raises(ContentRefused):
            check(bytes(data))

    @EVERY_KIND
    @given(noise=st.randoms(use_true_random=False))
    @settings(max_examples=40, deadline=None)
    def test_noise_in_a_header_raises_nothing_else(self, kind: str, noise: random.Random) -> None:
        data = bytearray(picture(kind, 40, 30, exif=exif_block("2026:02:03 04:05:06")))
        for _ in range(noise.randint(1, 8)):
            data[noise.randrange(8, min(len(data), 700))] = noise.randrange(256)
        try:
            check(bytes(data), step=noise.choice([13, 100_000]))
        except ContentRefused:
            return

    @given(data=st.binary(max_size=300), kind=st.sampled_from(sorted(KINDS)))
    @settings(max_examples=100, deadline=None)
    def test_anything_behind_a_right_beginning_is_judged(self, data: bytes, kind: str) -> None:
        with pytest.raises(ContentRefused):
            check(picture(kind)[:16] + data)


class TestLimits:
    def test_a_decompression_bomb_is_refused_by_its_header(self) -> None:
        bomb = png_bomb()
        content = ContentCheck(LIMITS, len(bomb))
        with pytest.raises(MediaTooManyPixels) as refused:
            content.feed(bomb[:64])
        assert (refused.value.metadata["width"], refused.value.metadata["limit_pixels"]) == ("30000", "100000000")

    @EVERY_KIND
    def test_every_type_is_held_to_the_limits(self, kind: str) -> None:
        data = picture(kind, 320, 240)
        assert check(data, limits=Limits(max_pixels=76_800, max_side=320)).width == 320
        for limits in (Limits(max_pixels=76_799, max_side=320), Limits(max_pixels=76_800, max_side=319)):
            with pytest.raises(MediaTooManyPixels):
                check(data, limits=limits)

    def test_a_picture_of_no_height_is_refused(self) -> None:
        header = struct.pack(">IIBBBBB", 10, 0, 8, 2, 0, 0, 0)
        with pytest.raises(MediaCorrupt, match="no size"):
            check(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IEND", b"") + bytes(40))

    def test_a_file_of_endless_tiny_parts_is_refused(self) -> None:
        header = struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0)
        chunks = png_chunk(b"tEXt", b"") * 60_000
        with pytest.raises(MediaCorrupt, match="parts"):
            check(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + chunks)
