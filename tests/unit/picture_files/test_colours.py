"""Colours, held against littleCMS: in the preview that analysis makes, and in the reduced copy that a phone sends."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab

from services.analysis.vision.decoding import Limits, PictureFile, prepare_decoders
from services.cli.photos import roll
from services.picture_files.colours.profiles import bright_code_points, read_profile
from tests.unit.picture_files import colour_files as files

Rgb = NDArray[np.uint8]
Way = Callable[[bytes], Rgb]
SIDE = 2048
LARGE = (2400, 1600)


def preview(data: bytes) -> Rgb:
    prepare_decoders()
    return np.asarray(PictureFile(data, Limits()).decode(), np.uint8)


@pytest.fixture
def reduced_copy(tmp_path: Path) -> Way:
    def reduce(data: bytes) -> Rgb:
        roll.register_formats()
        path = tmp_path / "picture"
        path.write_bytes(data)
        copy = Image.open(io.BytesIO(roll.reduce(path, SIDE, with_position=False)))
        assert (copy.mode, copy.info.get("icc_profile")) == ("RGB", None)
        return np.asarray(copy, np.uint8)

    return reduce


@pytest.fixture(params=["preview", "reduced copy"])
def way(request: pytest.FixtureRequest, reduced_copy: Way) -> Way:
    return preview if request.param == "preview" else reduced_copy


def by_littlecms(image: Image.Image, profile: bytes) -> Rgb:
    opened, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, opened, srgb, outputMode="RGB")
    assert converted is not None
    return np.asarray(converted, np.uint8)


def colours(picture: Rgb) -> NDArray[np.int16]:
    """Return the colours in the middle of the card's fields."""
    height, width = picture.shape[:2]
    rows, columns = (np.arange(1, 4, 2) * height // 4), (np.arange(1, 6, 2) * width // 6)
    return np.asarray(picture[np.ix_(rows, columns)], np.int16)


def difference(one: Rgb, other: Rgb) -> float:
    """Return the largest difference between two cards (delta E 2000)."""
    seen, wanted = (rgb2lab(colours(each).astype(np.uint8)) for each in (one, other))
    return float(deltaE_ciede2000(seen, wanted).max())


LINEAR = files.rgb_profile("sRGB-elle-V2-g10.icc", files.SRGB, files.linear)
P3 = files.rgb_profile("sRGB IEC61966-2.1", files.DISPLAY_P3, files.srgb_curve)
OTHER_SRGB = files.rgb_profile("My screen", files.SRGB, files.srgb_curve)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("profile", [LINEAR, P3, OTHER_SRGB], ids=["linear", "P3", "sRGB"])
def test_a_profile_is_applied_by_what_it_contains(way: Way, kind: str, profile: bytes) -> None:
    data = files.encoded(files.card(), kind, icc_profile=profile)
    assert difference(way(data), by_littlecms(files.card(), profile)) < 3


@pytest.mark.parametrize("profile", [LINEAR, P3], ids=["linear", "P3"])
def test_a_large_jpeg_is_shown_as_a_small_one(way: Way, profile: bytes) -> None:
    data = files.encoded(files.card(*LARGE), "JPEG", icc_profile=profile)
    assert difference(way(data), by_littlecms(files.card(), profile)) < 3


def test_a_jpeg_is_its_own_preview_only_with_the_colours_of_srgb() -> None:
    prepare_decoders()
    own = {
        name: PictureFile(files.encoded(files.card(), "JPEG", icc_profile=profile), Limits()).as_preview() is not None
        for name, profile in {"linear": LINEAR, "P3": P3, "sRGB by another name": OTHER_SRGB}.items()
    }
    assert own == {"linear": False, "P3": False, "sRGB by another name": True}


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("curve", [files.linear, lambda value: value**1.8], ids=["linear", "gamma 1.8"])
def test_a_gray_profile_is_applied_to_gray_pictures(way: Way, kind: str, curve: files.Curve) -> None:
    profile, gray = files.gray_profile("Dot gain", curve), files.card().convert("L")
    data = files.encoded(gray, kind, icc_profile=profile)
    assert difference(way(data), by_littlecms(gray, profile)) < 3


def test_a_gray_picture_with_a_profile_for_colours_is_as_bright_as_that_says(way: Way) -> None:
    gray = files.card().convert("L")
    data = files.encoded(gray, "JPEG", icc_profile=LINEAR)
    assert difference(way(data), by_littlecms(gray.convert("RGB"), LINEAR)) < 3


@pytest.mark.parametrize("size", [(96, 64), LARGE], ids=["small", "large"])
def test_ink_is_shown_as_its_profile_says(way: Way, size: tuple[int, int]) -> None:
    profile, ink = files.ink_profile("Pale press"), files.card(*size).convert("CMYK")
    data = files.encoded(ink, "JPEG", icc_profile=profile)
    assert difference(way(data), by_littlecms(ink, profile)) < 3


@pytest.mark.parametrize(
    ("mode", "profile"),
    [("RGB", files.gray_profile("Gray", files.linear)), ("RGB", files.ink_profile("Press")), ("RGB", b"no profile")],
    ids=["gray", "ink", "broken"],
)
def test_a_profile_that_is_none_for_such_a_picture_is_left_out(way: Way, mode: str, profile: bytes) -> None:
    image = files.card().convert(mode)
    data = files.encoded(image, "JPEG", icc_profile=profile)
    assert difference(way(data), np.asarray(image, np.uint8)) < 3


@pytest.mark.parametrize("kind", ["PNG", "HEIF", "AVIF"])
def test_display_p3_by_code_points_is_display_p3(way: Way, kind: str) -> None:
    assert difference(way(files.coded(files.card(), kind, 12, 13)), by_littlecms(files.card(), P3)) < 3


@pytest.mark.parametrize("kind", ["PNG", "HEIF", "AVIF"])
@pytest.mark.parametrize("codes", [(1, 13), (1, 1), (2, 2), (1, 6), (1, 15)], ids=str)
def test_code_points_of_srgb_and_of_television_change_nothing(way: Way, kind: str, codes: tuple[int, int]) -> None:
    assert difference(way(files.coded(files.card(), kind, *codes)), np.asarray(files.card(), np.uint8)) < 3


@pytest.mark.parametrize("kind", ["PNG", "HEIF", "AVIF"])
def test_linear_light_by_code_points_is_a_linear_profile(way: Way, kind: str) -> None:
    assert difference(way(files.coded(files.card(), kind, 1, 8)), by_littlecms(files.card(), LINEAR)) < 3


def steps(numbers: list[int]) -> Image.Image:
    """Return a card of grays."""
    row = np.array(numbers, np.uint8).reshape(2, 3)
    return Image.fromarray(row).resize((96, 64), Image.Resampling.NEAREST).convert("RGB")


@pytest.mark.parametrize("kind", ["PNG", "HEIF", "AVIF"])
@pytest.mark.parametrize(
    ("transfer", "numbers"),
    # Black, 10, 50, 203 (paper) and 1,000 cd/m2, and more: BT.2100, tables 4 and 5.
    [(16, [0, 76, 113, 148, 192, 230]), (18, [0, 56, 120, 191, 255, 255])],
    ids=["PQ", "HLG"],
)
def test_what_is_brighter_than_paper_is_brought_down(way: Way, kind: str, transfer: int, numbers: list[int]) -> None:
    shown = colours(way(files.coded(steps(numbers), kind, 9, transfer))).reshape(6, 3)
    assert np.ptp(shown, axis=1).max() <= 4  # grays stay gray
    black, dark, mid, paper, peak, more = shown[:, 1].tolist()
    assert black <= 3
    assert 40 <= dark < mid < 170
    assert 200 <= paper <= 240
    assert peak >= 250
    assert more >= 250


@pytest.mark.parametrize("transfer", [16, 18], ids=["PQ", "HLG"])
def test_hues_stay_where_brightness_is_brought_down(way: Way, transfer: int) -> None:
    red, green, blue = colours(way(files.coded(Image.new("RGB", (96, 64), (200, 150, 150)), "PNG", 9, transfer)))[0, 0]
    assert red > green + 40
    assert abs(green - blue) < 60


def test_a_profile_of_bright_pictures_names_code_points(way: Way) -> None:
    profile = files.with_code_points(files.rgb_profile("Rec2020 PQ", files.SRGB, files.srgb_curve), 9, 16)
    card = steps([0, 76, 113, 148, 192, 230])
    by_profile, by_chunk = (
        way(data) for data in (files.encoded(card, "PNG", icc_profile=profile), files.coded(card, "PNG", 9, 16))
    )
    assert difference(by_profile, by_chunk) < 1


def test_code_points_of_a_png_count_before_its_profile(way: Way) -> None:
    data = files.with_chunks(files.encoded(files.card(), "PNG", icc_profile=LINEAR), (b"cICP", bytes([12, 13, 0, 1])))
    assert difference(way(data), by_littlecms(files.card(), P3)) < 3


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_a_profile_of_heic_and_avif_counts_before_code_points(way: Way, kind: str) -> None:
    plain = files.encoded(files.card(), kind, icc_profile=P3)
    assert difference(way(plain), by_littlecms(files.card(), P3)) < 3


def test_gamma_and_chromaticities_of_a_png_are_applied(way: Way) -> None:
    plain = files.encoded(files.card(), "PNG")
    linear = files.with_chunks(plain, *files.gamma_chunks(1.0, files.SRGB_CHROMATICITIES))
    assert difference(way(linear), by_littlecms(files.card(), LINEAR)) < 3
    usual = files.with_chunks(plain, *files.gamma_chunks(2.2, files.SRGB_CHROMATICITIES))
    assert difference(way(usual), np.asarray(files.card(), np.uint8)) < 3


@pytest.mark.parametrize("chromaticities", [(0.0,) * 8, (0.3,) * 8], ids=["zeros", "all the same"])
def test_chromaticities_that_cannot_be_change_nothing(way: Way, chromaticities: tuple[float, ...]) -> None:
    data = files.with_chunks(files.encoded(files.card(), "PNG"), *files.gamma_chunks(2.2, chromaticities))
    assert difference(way(data), np.asarray(files.card(), np.uint8)) < 3


def test_numbers_of_television_are_spread(way: Way) -> None:
    narrow = Image.fromarray(np.rint(np.asarray(files.card()) / 255 * 219 + 16).astype(np.uint8))
    data = files.with_chunks(files.encoded(narrow, "PNG"), (b"cICP", bytes([1, 13, 0, 0])))
    assert difference(way(data), np.asarray(files.card(), np.uint8)) < 3


def test_gray_on_16_bits_is_as_bright_as_on_8(way: Way) -> None:
    gray = np.asarray(files.card().convert("L"))
    deep = files.png_of((gray * np.uint16(257)).astype(np.uint16), 16, 0)
    assert difference(way(deep), np.asarray(files.card().convert("L").convert("RGB"), np.uint8)) < 1


PROFILES = (LINEAR, files.gray_profile("Gray", files.linear), files.ink_profile("Press"))


@given(
    profile=st.sampled_from(PROFILES),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=12),
    length=st.integers(0, 6000),
)
def test_a_profile_that_was_altered_or_cut_short_is_read_or_left_out(
    profile: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    altered = bytearray(profile)
    for place, value in changes:
        altered[place] = value
    found = read_profile(bytes(altered[:length]))
    assert found is None or found.mode in {"RGB", "L", "CMYK"}
    assert bright_code_points(bytes(altered[:length])) is None or b"cicp" in altered
