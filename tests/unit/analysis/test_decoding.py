import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from inference.vision.pictures import Picture
from services.analysis.domain.media import ParkedReason
from services.analysis.errors import PictureUnusable
from services.analysis.vision.decoding import Limits, PictureFile, encode_jpeg, prepare_decoders, shrink, turn_upright
from services.picture_files.embedded import read_embedded
from services.picture_files.position import embedded_position
from tests.unit.analysis.photos import LYON, encode, exif, lying, photo, pixels
from tests.unit.ingest.untidy import UNTIDY, plain


@pytest.fixture(autouse=True)
def _decoders() -> None:
    """Set up what is set up once per process: tests of other processes' parts may have set it otherwise."""
    prepare_decoders()


def decode(data: bytes, limits: Limits = Limits()) -> Picture:  # noqa: B008
    return PictureFile(data, limits).decode()


def parked(data: bytes, limits: Limits = Limits()) -> ParkedReason:  # noqa: B008
    with pytest.raises(PictureUnusable) as refused:
        decode(data, limits)
    return refused.value.reason


def distance(one: Picture, other: Picture) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_every_format_decodes_to_the_same_picture(kind: str) -> None:
    assert distance(decode(encode(photo("chelsea"), kind)), pixels("chelsea")) < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_pillow_turns_it(orientation: int) -> None:
    stored = photo("chelsea").crop((0, 0, 90, 60))
    data = encode(stored, "PNG", exif=exif(orientation=orientation))
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert np.array_equal(turn_upright(np.asarray(stored), orientation), upright)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", [5, 6])
def test_a_picture_that_lies_on_its_side_stands_upright(kind: str, orientation: int) -> None:
    upright = photo("astronaut").crop((100, 0, 340, 180))
    data = encode(lying(upright, orientation), kind, exif=exif(orientation=orientation))
    assert distance(decode(data), np.asarray(upright)) < 6


def test_a_large_jpeg_is_decoded_at_a_reduced_scale_without_a_loss_that_matters() -> None:
    large = photo("astronaut").resize((4096, 1024), Image.Resampling.BICUBIC)
    picture = decode(encode(large))
    assert picture.shape == (512, 2048, 3)
    assert distance(picture, np.asarray(large.resize((2048, 512), Image.Resampling.BOX))) < 3


def test_a_jpeg_that_half_of_is_enough_is_not_decoded_whole() -> None:
    large = photo("astronaut").resize((3400, 1700), Image.Resampling.BICUBIC)
    assert decode(encode(large)).shape == (850, 1700, 3)


def test_a_small_picture_keeps_its_size() -> None:
    assert decode(encode(photo("chelsea"))).shape == pixels("chelsea").shape


def test_a_one_pixel_picture_is_a_picture() -> None:
    assert decode(encode(Image.new("RGB", (1, 1), "red"), "PNG")).shape == (1, 1, 3)


def test_a_panorama_that_is_one_pixel_high_is_reduced() -> None:
    assert decode(encode(Image.new("RGB", (5000, 1)), "PNG")).shape == (1, 2048, 3)


def test_transparency_is_white() -> None:
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert decode(encode(image, "PNG")).min() == 255


@pytest.mark.parametrize("mode", ["L", "1", "P", "I;16", "LA"])
def test_gray_palette_and_deep_pictures_become_rgb(mode: str) -> None:
    assert decode(encode(Image.new(mode, (9, 7)), "PNG")).shape == (7, 9, 3)


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    picture = decode(encode(photo("coffee").convert("CMYK")))
    assert distance(picture, pixels("coffee")) < 8


def test_colours_of_another_space_become_srgb() -> None:
    lab_ish = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    buffer = io.BytesIO()
    photo("coffee").save(buffer, "JPEG", icc_profile=lab_ish)
    assert decode(buffer.getvalue()).shape == pixels("coffee").shape


def test_a_broken_colour_profile_spoils_nothing() -> None:
    buffer = io.BytesIO()
    photo("coffee").save(buffer, "JPEG", icc_profile=b"not a profile")
    assert distance(decode(buffer.getvalue()), pixels("coffee")) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.98])
def test_a_truncated_picture_is_corrupt(kind: str, share: float) -> None:
    data = encode(photo("chelsea"), kind)
    assert parked(data[: int(len(data) * share)]) is ParkedReason.CORRUPT


@pytest.mark.parametrize("name", UNTIDY)
def test_what_every_viewer_shows_is_decoded(name: str) -> None:
    prepare_decoders()
    assert distance(decode(UNTIDY[name]), np.asarray(plain(name))) < 3


@pytest.mark.parametrize("missing", [1, 2])
def test_a_jpeg_whose_end_marker_alone_is_missing_shows_all_it_has(missing: int) -> None:
    whole = encode(photo("chelsea"))
    file = PictureFile(whole[:-missing], Limits())
    assert np.array_equal(file.decode(), decode(whole))
    assert distance(decode(file.as_preview() or b""), decode(whole)) == 0


@pytest.mark.parametrize("error", [TypeError("a tag"), AttributeError("a reader"), RecursionError("a box")])
def test_whatever_a_decoder_raises_is_the_files_fault(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)
    assert parked(encode(photo("chelsea"))) is ParkedReason.CORRUPT


def test_a_want_of_memory_is_not_the_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(MemoryError):
        decode(encode(photo("chelsea")))


def test_a_jpeg_cut_short_is_corrupt_even_with_an_end_marker_in_its_thumbnail() -> None:
    data = encode(photo("chelsea"))
    app1 = b"Exif\0\0" + encode(photo("chelsea").resize((32, 24)))
    thumbnail = b"\xff\xe1" + (len(app1) + 2).to_bytes(2, "big") + app1
    whole = data[:2] + thumbnail + data[2:]
    assert decode(whole).shape == pixels("chelsea").shape
    assert parked(whole[: len(whole) // 2]) is ParkedReason.CORRUPT


def test_a_jpeg_with_bytes_overwritten_in_the_middle_is_corrupt() -> None:
    data = bytearray(encode(photo("chelsea")))
    data[len(data) // 2 : len(data) // 2 + 64] = b"\xff\xc0" * 32
    assert parked(bytes(data)) is ParkedReason.CORRUPT


def test_a_progressive_jpeg_is_a_whole_jpeg() -> None:
    buffer = io.BytesIO()
    photo("chelsea").save(buffer, "JPEG", progressive=True, quality=90)
    assert distance(decode(buffer.getvalue()), pixels("chelsea")) < 6


def test_a_jpeg_with_a_film_behind_it_is_a_whole_jpeg() -> None:
    assert decode(encode(photo("chelsea")) + b"\0\0\0\x18ftypmp42" * 100).shape == pixels("chelsea").shape


@pytest.mark.parametrize("data", [b"", b"hello, I am a text", b"\xff\xd8", b"GIF89a" + bytes(60), bytes(4096)])
def test_what_is_no_picture_is_corrupt(data: bytes) -> None:
    assert parked(data) is ParkedReason.CORRUPT


def test_too_many_pixels_are_refused_before_anything_is_decoded() -> None:
    data = bytearray(encode(Image.new("L", (9, 9)), "PNG"))
    data[16:24] = struct.pack(">II", 30_000, 30_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(PictureUnusable) as refused:
        PictureFile(bytes(data), Limits())
    assert (refused.value.reason, "30000 x 30000" in refused.value.detail) == (ParkedReason.TOO_MANY_PIXELS, True)


def test_a_side_that_is_too_long_is_refused() -> None:
    assert parked(encode(Image.new("L", (2001, 1)), "PNG"), Limits(side=2000)) is ParkedReason.TOO_MANY_PIXELS


def test_a_preview_has_nothing_in_it_but_the_picture() -> None:
    data = encode(photo("astronaut"), exif=exif(orientation=6, position=LYON))
    preview = Image.open(io.BytesIO(encode_jpeg(decode(data), 85)))
    assert (preview.format, dict(preview.getexif()), preview.info.get("icc_profile")) == ("JPEG", {}, None)


def test_shrinking_keeps_the_proportions() -> None:
    assert shrink(np.zeros((1000, 3000, 3), np.uint8), 600).shape == (200, 600, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
@pytest.mark.parametrize("place", [LYON, (-33.8568, 151.2153), (40.6892, -74.0445)])
def test_the_position_is_read_from_every_hemisphere(kind: str, place: tuple[float, float]) -> None:
    data = encode(photo("chelsea").crop((0, 0, 90, 60)), kind, exif=exif(position=place))
    position = embedded_position(read_embedded(data))
    assert position == pytest.approx(place, abs=1e-5)


def test_a_small_upright_jpeg_is_its_own_preview_without_its_metadata() -> None:
    data = encode(photo("astronaut"), exif=exif(position=LYON)) + b"a film behind it"
    preview = PictureFile(data, Limits()).as_preview()
    assert preview is not None
    image = Image.open(io.BytesIO(preview))
    assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(data))))
    assert (dict(image.getexif()), b"Exif" in preview, b"film" in preview) == ({}, False, False)


@pytest.mark.parametrize(
    "data",
    [
        encode(photo("astronaut"), exif=exif(orientation=6)),
        encode(photo("astronaut").resize((2100, 2100))),
        encode(photo("astronaut"), "PNG"),
        encode(photo("coffee").convert("CMYK")),
    ],
    ids=["lying", "large", "no jpeg", "ink"],
)
def test_other_pictures_are_not_their_own_previews(data: bytes) -> None:
    assert PictureFile(data, Limits()).as_preview() is None
