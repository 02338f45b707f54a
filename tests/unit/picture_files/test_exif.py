import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from services.picture_files.exif import exif_tags, gps_position, read_position, tag_text
from tests.unit.ingest.pictures import exif_block


@pytest.mark.parametrize(
    "block", [None, b"", b"MM\0*", b"II*\0\xff\xff\xff\xff", b"nonsense", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_broken_block_says_nothing(block: bytes | None) -> None:
    assert exif_tags(block) == ({}, {}, {})


def gps(latitude: object, longitude: object, side: str = "N", way: str = "E") -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: side, 2: latitude, 3: way, 4: longitude})
    return exif


def test_a_position_is_read_from_every_hemisphere() -> None:
    assert read_position(gps((33.0, 51.0, 24.48), (151.0, 12.0, 54.9), "S", "E")) == pytest.approx(
        (-33.8568, 151.21525)
    )
    assert read_position(gps((40.0, 41.0, 21.12), (74.0, 2.0, 40.2), "N", "W")) == pytest.approx((40.6892, -74.0445))


@pytest.mark.parametrize("place", [(0, 0), (91, 4), (4, 181), (float("inf"), 1)], ids=str)
def test_a_position_that_makes_no_sense_is_none(place: tuple[float, float]) -> None:
    assert read_position(gps((place[0], 0.0, 0.0), (place[1], 0.0, 0.0))) is None


@pytest.mark.parametrize(
    ("south", "west"),
    [("South", "west"), ("s", "w"), (b"S\0", b"W\0"), ("S \0", " W"), (83, 87), ((83, 0), (87, 0)), ("SOUTH.", "West")],
    ids=str,
)
def test_a_reference_of_any_type_and_spelling_is_read(south: object, west: object) -> None:
    tags = {1: south, 2: (33.0, 51.0, 25.0), 3: west, 4: (122.0, 25.0, 9.0)}
    assert gps_position(tags) == pytest.approx((-33.856944, -122.419167))


@pytest.mark.parametrize("side", [None, "", "E", "X", "Norden", b"\xff", 200, (1, 2), "NS", "north-east", 1j], ids=str)
def test_a_hemisphere_is_never_guessed(side: object) -> None:
    assert gps_position({1: side, 2: (33.0, 51.0, 25.0), 3: "E", 4: (122.0, 25.0, 9.0)}) is None
    assert gps_position({1: "N", 2: (33.0, 51.0, 25.0), 3: "O", 4: (122.0, 25.0, 9.0)}) is None


NAN = float("nan")


@pytest.mark.parametrize(
    ("latitude", "degrees"),
    [
        ((48.0, 51.5, NAN), 48.858333),
        ((48.0, 51.5), 48.858333),
        ((48.858333, NAN, NAN), 48.858333),
        ((48.858333,), 48.858333),
        (48.858333, 48.858333),
        (TiffImagePlugin.IFDRational(48858333, 1000000), 48.858333),
        (
            (
                TiffImagePlugin.IFDRational(48, 1),
                TiffImagePlugin.IFDRational(515, 10),
                TiffImagePlugin.IFDRational(0, 0),
            ),
            48.858333,
        ),
        ("48.858333", 48.858333),
        (b"48,51.5\0", 48.858333),
        ("48 deg 51' 30.00\"", 48.858333),
        ("48° 51' 30\" N", 48.858333),
    ],
    ids=str,
)
def test_degrees_are_read_as_they_are_written(latitude: object, degrees: float) -> None:
    assert gps_position({1: "N", 2: latitude, 3: "W", 4: (122.0, 25.0, 9.0)}) == pytest.approx((degrees, -122.419167))


@pytest.mark.parametrize(
    "latitude",
    [
        (48.0, NAN, NAN),
        (NAN, 51.0, 30.0),
        (-48.0, 51.0, 30.0),
        (90.0, 0.0, 1.0),
        "48.85S",
        "-48.85",
        "north",
        "",
        None,
        (),
        (1, 2, 3, 4),
        (b"48",),
        float("inf"),
    ],
    ids=str,
)
def test_degrees_that_make_no_sense_are_no_position(latitude: object) -> None:
    assert gps_position({1: "N", 2: latitude, 3: "W", 4: (122.0, 25.0, 9.0)}) is None


@pytest.mark.parametrize("broken", [{}, {2: "north"}, {2: (), 4: ()}, {2: (1, 2, 3, 4), 4: (1,)}, {1: "N", 2: (45,)}])
def test_a_broken_position_is_none(broken: dict[int, object]) -> None:
    block = Image.Exif()
    block.get_ifd(ExifTags.IFD.GPSInfo).update(broken)
    assert read_position(block) is None


@pytest.mark.parametrize("text", ["2026", b"2026\0", "2026 \0\0", (50, 48, 50, 54, 0)], ids=str)
def test_text_of_a_wrong_type_is_text_all_the_same(text: object) -> None:
    assert tag_text(text) == "2026"


@pytest.mark.parametrize("value", [None, 2026, -1, (1, "a"), (300, 2), 1.5, 1j], ids=str)
def test_what_is_no_text_is_not_there(value: object) -> None:
    assert tag_text(value) == ""


def test_a_tag_that_cannot_be_read_costs_none_of_the_others() -> None:
    block = exif_block("2026:02:28 10:11:12", orientation=6)
    place = block.index(b"2026:02:28")
    for cut in range(len(block)):
        first, details, _ = exif_tags(block[:cut])
        assert details.get(0x9003) in (None, "2026:02:28 10:11:12")
        assert cut < place or first.get(0x0112) == 6
