import io
import os
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from services.cli.photos import roll, upload_file
from services.picture_files.capture_time import Source, Taken
from services.picture_files.embedded import read_embedded
from services.picture_files.position import embedded_position
from services.picture_files.timestamps import Precision
from tests.unit.ingest.pictures import KINDS, png_bomb
from tests.unit.ingest.pictures import picture as encoded
from tests.unit.ingest.untidy import UNTIDY
from tests.unit.picture_files.metadata import gps_block, jpeg_with, xmp_packet

ORIENTATION, TAKEN, OFFSET = 0x0112, 0x9003, 0x9011


@pytest.fixture(autouse=True)
def _formats() -> None:
    roll.register_formats()


def picture(path: Path, size: tuple[int, int] = (400, 300), *, exif: Image.Exif | None = None) -> Path:
    Image.new("RGB", size, (200, 120, 40)).save(path, exif=exif or Image.Exif())
    return path


def phone_exif(*, orientation: int = 1, taken: str = "2026:11:14 15:02:03", offset: str = "+01:00") -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    block = exif.get_ifd(ExifTags.IFD.Exif)
    block[TAKEN], block[OFFSET] = taken, offset
    position = exif.get_ifd(ExifTags.IFD.GPSInfo)
    position[1], position[2] = "N", (45.0, 45.0, 0.0)
    return exif


class TestDescribe:
    def test_sides_are_those_of_the_upright_picture(self, tmp_path: Path) -> None:
        found = roll.describe(picture(tmp_path / "a.jpg", exif=phone_exif(orientation=6)), tmp_path)
        assert (found.width, found.height) == (300, 400)

    def test_the_time_is_that_of_the_place(self, tmp_path: Path) -> None:
        found = roll.describe(picture(tmp_path / "a.jpg", exif=phone_exif()), tmp_path)
        there = datetime(2026, 11, 14, 15, 2, 3, tzinfo=timezone(timedelta(hours=1)))
        assert found.taken == Taken(there, Source.EXIF_ORIGINAL)

    @pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "yesterday", ""])
    def test_a_senseless_time_is_replaced_by_the_files(self, tmp_path: Path, taken: str) -> None:
        path = picture(tmp_path / "a.jpg", exif=phone_exif(taken=taken))
        os.utime(path, (1_790_000_000, 1_790_000_000))
        assert roll.describe(path, tmp_path).taken == Taken(
            datetime.fromtimestamp(1_790_000_000, UTC), Source.FILE_TIME
        )

    def test_a_name_goes_before_the_files_own_time(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "IMG-20190405-WA0001.jpg")
        expected = Taken(datetime(2019, 4, 5), Source.FILE_NAME, Precision.DAY)  # noqa: DTZ001 - no zone is known
        assert roll.describe(path, tmp_path).taken == expected

    @pytest.mark.parametrize("modified", [0, 4_000_000_000])
    def test_a_file_whose_own_time_cannot_be_has_none(self, tmp_path: Path, modified: int) -> None:
        path = picture(tmp_path / "a.jpg")
        os.utime(path, (modified, modified))
        assert roll.describe(path, tmp_path).taken is None

    def test_what_is_no_picture_is_described_all_the_same(self, tmp_path: Path) -> None:
        (tmp_path / "note.jpg").write_text("hello")
        found = roll.describe(tmp_path / "note.jpg", tmp_path)
        assert (found.size, found.width, found.content_type) == (5, 0, "")

    def test_a_pipe_is_refused(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.jpg")
        with pytest.raises(roll.FileUnusable):
            roll.describe(tmp_path / "pipe.jpg", tmp_path)

    def test_a_dangling_link_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere.jpg")
        with pytest.raises(roll.FileUnusable):
            roll.describe(tmp_path / "link.jpg", tmp_path)

    @pytest.mark.parametrize("name", ["Screenshot_2026.png", "screenshot.jpg", "Capture d'écran.png"])
    def test_screenshots_are_known_by_their_names(self, tmp_path: Path, name: str) -> None:
        assert roll.describe(picture(tmp_path / name), tmp_path).screenshot

    @pytest.mark.parametrize("name", ["Capture_0001.jpg", "Captured by the sea.jpg", "capture (3).jpg", "IMG_1.png"])
    def test_photos_are_none_whatever_they_are_called(self, tmp_path: Path, name: str) -> None:
        assert not roll.describe(picture(tmp_path / name), tmp_path).screenshot

    @pytest.mark.parametrize("name", ["Screenshot_1.jpg", "capture.png", "Bildschirmfoto.png"])
    def test_a_camera_says_that_it_is_a_photo(self, tmp_path: Path, name: str) -> None:
        exif = phone_exif()
        exif[0x010F], exif[0x0110] = "Pellicam", "P1"
        assert not roll.describe(picture(tmp_path / name, exif=exif), tmp_path).screenshot

    def test_a_phone_may_say_in_a_comment_that_it_is_a_screenshot(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 1
        exif.get_ifd(ExifTags.IFD.Exif)[0x9286] = b"ASCII\0\0\0Screenshot"
        assert roll.describe(picture(tmp_path / "IMG_1.png", exif=exif), tmp_path).screenshot

    def test_what_cannot_be_opened_may_still_be_called_a_screenshot(self, tmp_path: Path) -> None:
        (tmp_path / "Screenshot_1.png").write_bytes(b"no picture")
        assert roll.describe(tmp_path / "Screenshot_1.png", tmp_path).screenshot

    @pytest.mark.parametrize("seconds", [2**60, -(2**60), 2**37])
    def test_a_file_time_that_no_calendar_knows_raises_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
    ) -> None:
        path = picture(tmp_path / "a.jpg")
        status = os.stat_result((*path.stat()[:8], seconds, *path.stat()[9:10]))
        monkeypatch.setattr(Path, "stat", lambda *_, **__: status)
        assert roll.describe(path, tmp_path).size > 0

    @pytest.mark.parametrize("name", UNTIDY)
    def test_an_untidy_picture_has_its_size_and_a_reduced_copy(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "a").write_bytes(UNTIDY[name])
        found = roll.describe(tmp_path / "a", tmp_path)
        assert (found.width, found.height) == (160, 120)
        assert Image.open(io.BytesIO(roll.reduce(found.path, 64, with_position=True))).size == (64, 48)

    def test_the_size_of_an_enormous_picture_is_known_without_decoding_it(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(png_bomb())
        found = roll.describe(tmp_path / "a.png", tmp_path)
        assert (found.width, found.height, found.content_type) == (30_000, 30_000, "image/png")
        with pytest.raises(roll.NotDecodable):
            roll.reduce(found.path, 512, with_position=True)

    def test_a_name_that_is_no_text_is_spelt_out(self, tmp_path: Path) -> None:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
        path.write_bytes(b"x")
        assert roll.describe(path, tmp_path).name == "caf\\xe9.jpg"


class TestAnyFile:
    @pytest.mark.parametrize("kind", KINDS)
    @given(noise=st.randoms(use_true_random=False))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_no_exception_leaves_the_reader_of_one_file(self, tmp_path: Path, kind: str, noise: random.Random) -> None:
        path = tmp_path / f"{kind}.jpg"
        path.write_bytes(mutated(kind, noise))
        found = roll.describe(path, tmp_path)
        upload_file.summary(found)
        try:
            roll.reduce(path, 32, with_position=noise.choice([True, False]))
        except roll.NotDecodable:
            return

    @pytest.mark.parametrize(
        "error", [RuntimeError("codec"), TypeError("tag"), OverflowError("year"), MemoryError(), RecursionError()]
    )
    def test_whatever_a_codec_raises_stays_with_its_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        path = picture(tmp_path / "a.jpg")
        monkeypatch.setattr(Image, "open", fail)
        assert roll.describe(path, tmp_path).width == 0
        with pytest.raises(roll.NotDecodable):
            roll.reduce(path, 32, with_position=True)


def mutated(kind: str, noise: random.Random) -> bytes:
    """Return a picture of a type with bytes of its header and tags altered, taken away or put in."""
    exif = phone_exif()
    exif[ORIENTATION] = noise.randrange(10)
    data = bytearray(encoded(kind, 40, 30, exif=exif.tobytes()))
    for _ in range(noise.randint(1, 10)):
        place = noise.randrange(min(len(data), 900))
        match noise.randrange(3):
            case 0:
                data[place] = noise.randrange(256)
            case 1:
                del data[place : place + noise.randrange(6)]
            case _:
                data[place:place] = noise.randbytes(noise.randrange(6))
    return bytes(data[: noise.choice([len(data), noise.randrange(len(data) + 1)])])


class TestReduce:
    def opened(self, content: bytes) -> Image.Image:
        return Image.open(io.BytesIO(content))

    def test_the_long_side_is_reduced(self, tmp_path: Path) -> None:
        reduced = self.opened(roll.reduce(picture(tmp_path / "a.jpg", (800, 400)), 512, with_position=True))
        assert reduced.size == (512, 256)

    def test_orientation_and_time_stay(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.jpg", (800, 400), exif=phone_exif(orientation=8))
        exif = self.opened(roll.reduce(path, 512, with_position=False)).getexif()
        assert exif[ORIENTATION] == 8
        assert exif.get_ifd(ExifTags.IFD.Exif)[TAKEN] == "2026:11:14 15:02:03"

    @pytest.mark.parametrize("allowed", [True, False])
    def test_the_position_goes_along_only_with_consent(self, tmp_path: Path, allowed: bool) -> None:
        path = picture(tmp_path / "a.jpg", (800, 400), exif=phone_exif())
        exif = self.opened(roll.reduce(path, 512, with_position=allowed)).getexif()
        assert bool(exif.get_ifd(ExifTags.IFD.GPSInfo)) is allowed

    @pytest.mark.parametrize("allowed", [True, False])
    def test_a_position_that_xmp_alone_tells_goes_along_only_with_consent(self, tmp_path: Path, allowed: bool) -> None:
        path = tmp_path / "a.jpg"
        path.write_bytes(jpeg_with(xmp=xmp_packet('exif:GPSLatitude="33,51.5S" exif:GPSLongitude="122,25.15W"')))
        position = embedded_position(read_embedded(roll.reduce(path, 512, with_position=allowed)))
        assert position == (pytest.approx((-33.858333, -122.419167)) if allowed else None)

    @pytest.mark.parametrize(
        "gps",
        [
            {1: "South", 2: "33.8585", 3: "west", 4: "122.4192"},
            {1: b"S\0", 2: (33.0, 51.51, 0.0), 3: b"W\0", 4: (122.0, 25.152, 0.0)},
            {1: "s", 2: 33.8585, 3: "w", 4: 122.4192},
        ],
        ids=["text", "references of another type", "one number"],
    )
    def test_a_position_that_is_oddly_written_is_in_the_copy_as_it_should_be(
        self, tmp_path: Path, gps: dict[int, object]
    ) -> None:
        block = gps_block(gps)
        path = tmp_path / "a.jpg"
        path.write_bytes(jpeg_with(block))
        copy = self.opened(roll.reduce(path, 512, with_position=True)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
        assert (copy[1], copy[3]) == ("S", "W")
        assert copy[2] == pytest.approx((33, 51, 30.6), abs=1e-3)
        assert copy[4] == pytest.approx((122, 25, 9.12), abs=1e-3)

    def test_a_tag_that_cannot_be_written_costs_no_copy(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.jpg", (800, 400), exif=phone_exif())
        path.write_bytes(path.read_bytes().replace(b"N\0\0\0\0\2\0\5", b"N\0\0\0\0\2\0\2"))
        assert self.opened(roll.reduce(path, 512, with_position=True)).size == (512, 256)

    def test_a_broken_picture_has_no_reduced_copy(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.jpg", (800, 400))
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(roll.NotDecodable):
            roll.reduce(path, 512, with_position=True)
