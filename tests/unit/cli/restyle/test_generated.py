"""A generated picture says what it is, and takes nothing of the photo's own data along."""

from pathlib import Path

import pytest
from PIL import ExifTags, Image

from services.cli.output import CommandFailed
from services.cli.restyle.commands import read_picture
from services.cli.restyle.contact_sheet import contact_sheet
from services.cli.restyle.generated import SOFTWARE, SOURCE_TYPE, check_format, save


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "JPEG"])
def test_every_format_carries_the_mark(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture.{suffix}"

    save(Image.new("RGB", (80, 64), (200, 90, 20)), path, "restyler-1: oil, 4 steps, strength 1, seed 7")

    with Image.open(path) as written:
        exif = written.getexif()
        assert written.size == (80, 64)
        assert exif[ExifTags.Base.Software] == SOFTWARE
        assert exif[ExifTags.Base.ImageDescription].endswith("seed 7")
    assert SOURCE_TYPE.encode() in path.read_bytes()
    assert b"generative AI" in path.read_bytes()


def test_a_name_without_a_known_ending_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"ends in one of \.png, \.jpg") as caught:
        check_format(tmp_path / "picture.gif")

    assert (caught.value.reason, caught.value.field) == ("FORMAT_UNKNOWN", "--out")


def _photo_with_position(path: Path) -> Path:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 29.0)
    Image.new("RGB", (400, 200), (10, 120, 60)).save(path, exif=exif)
    return path


def test_a_photo_is_turned_upright_and_shrunk_and_leaves_its_data_behind(tmp_path: Path) -> None:
    photo = read_picture(_photo_with_position(tmp_path / "photo.jpg"), 300)
    save(photo, tmp_path / "made.jpg", "made")

    assert photo.size == (150, 300)
    with Image.open(tmp_path / "made.jpg") as made:
        assert not made.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert ExifTags.Base.Make not in made.getexif()


def test_a_photo_is_never_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (100, 90)).save(tmp_path / "small.png")

    assert read_picture(tmp_path / "small.png", 768).size == (100, 90)


def test_a_file_that_is_no_picture_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_bytes(b"not a picture")

    with pytest.raises(CommandFailed, match="cannot be decoded") as caught:
        read_picture(tmp_path / "notes.jpg", 768)

    assert caught.value.reason == "PICTURE_UNREADABLE"
    assert caught.value.field.endswith("notes.jpg")


@pytest.mark.parametrize("long_side", [0, -5, 5000])
def test_a_long_side_that_makes_no_sense_is_refused(tmp_path: Path, long_side: int) -> None:
    with pytest.raises(CommandFailed, match="is no length"):
        read_picture(tmp_path / "photo.jpg", long_side)


@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (3, 1, 3), (9, 3, 3), (4, 2, 3)])
def test_a_sheet_has_three_pictures_in_a_row(count: int, rows: int, columns: int) -> None:
    sheet = contact_sheet([(f"style {number}", Image.new("RGB", (500, 300))) for number in range(count)])

    assert sheet.width == 12 + columns * (384 + 12)
    assert sheet.height == 12 + rows * (230 + 30 + 12)
