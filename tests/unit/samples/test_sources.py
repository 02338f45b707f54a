import hashlib
import io
import struct
import tarfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.samples import debian, qt_resources
from deploy.samples.credits import catalogue
from deploy.samples.errors import PackageUnreadable
from deploy.samples.sources import open_library

WHEELS = {"scikit-image", "scikit-learn", "matplotlib"}


def no_apt(package: str, folder: Path) -> Path | None:
    return None


def debian_package(files: dict[str, bytes], member: str = "data.tar.xz") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for name, content in files.items():
            information = tarfile.TarInfo(f"./{name}")
            information.size = len(content)
            archive.addfile(information, io.BytesIO(content))
    parts = [b"!<arch>\n"]
    for name, content in (("debian-binary", b"2.0\n"), ("control.tar.xz", b"odd"), (member, data.getvalue())):
        parts.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        parts.append(content + b"\n" * (len(content) % 2))
    return b"".join(parts)


def resource_archive(content: bytes) -> bytes:
    names = b"".join(struct.pack(">HI", len(name), 0) + name.encode("utf-16-be") for name in ("folder", "a.webp"))
    packed = struct.pack(">I", len(content)) + zlib.compress(content)
    data = struct.pack(">I", len(packed)) + packed
    nodes = struct.pack(">IHIIQ", 0, 2, 1, 1, 0) + struct.pack(">IHIIQ", 0, 2, 1, 2, 0)
    nodes += struct.pack(">IHIIQ", 6 + 12, 1, 0, 0, 0)
    at = 20
    return b"qres" + struct.pack(">4I", 2, at, at + len(nodes), at + len(nodes) + len(data)) + nodes + data + names


def test_files_of_a_debian_package_are_read(tmp_path: Path) -> None:
    path = tmp_path / "p_1_all.deb"
    path.write_bytes(debian_package({"usr/share/a.jpg": b"abc", "usr/share/b.jpg": b"d"}))
    assert dict(debian.members(path)) == {"usr/share/a.jpg": b"abc", "usr/share/b.jpg": b"d"}


@pytest.mark.parametrize(
    "content", [b"", b"!<arch>\n", b"no archive", debian_package({}, "data.tar.zst"), debian_package({"a": b"a"})[:-90]]
)
def test_what_is_no_readable_debian_package_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p_1_all.deb"
    path.write_bytes(content)
    with pytest.raises(PackageUnreadable):
        list(debian.members(path))


def test_files_of_a_resource_archive_are_read() -> None:
    assert list(qt_resources.entries(resource_archive(b"picture" * 9))) == [("/folder/a.webp", b"picture" * 9)]


def test_what_is_no_resource_archive_is_refused() -> None:
    with pytest.raises(PackageUnreadable):
        list(qt_resources.entries(b"RIFF and so on, long enough"))


def test_the_installed_packages_hold_the_pictures_that_the_credits_speak_of(tmp_path: Path) -> None:
    library = open_library(tmp_path, fetch=no_apt)
    assert set(library.pictures) == {name for name, credit in catalogue().items() if credit.package in WHEELS}
    assert library.missing_packages == ("gcompris-qt-data", "palapeli-data")


def test_a_picture_with_another_digest_is_not_used(tmp_path: Path) -> None:
    def fetch(package: str, folder: Path) -> Path | None:
        path = folder / f"{package}_2_all.deb"
        path.write_bytes(debian_package({catalogue()["citrus"].path: b"another picture"}))
        return path

    assert not open_library(tmp_path, fetch=fetch).has("citrus")


def test_a_package_that_cannot_be_read_makes_the_roll_smaller(tmp_path: Path) -> None:
    def fetch(package: str, folder: Path) -> Path | None:
        path = folder / f"{package}_2_all.deb"
        path.write_bytes(b"damaged")
        return path

    assert "palapeli-data" in open_library(tmp_path, fetch=fetch).missing_packages


def test_a_damaged_picture_in_the_cache_is_not_used(tmp_path: Path) -> None:
    (tmp_path / catalogue()["citrus"].sha256).write_bytes(b"damaged")
    assert not open_library(tmp_path, fetch=no_apt).has("citrus")


def test_what_was_fetched_is_kept_and_not_fetched_again(tmp_path: Path) -> None:
    content = b"a citrus fruit"
    digest = hashlib.sha256(content).hexdigest()
    wanted = {"citrus": replace(catalogue()["citrus"], sha256=digest)}

    def fetch(package: str, folder: Path) -> Path | None:
        path = folder / f"{package}_1_all.deb"
        path.write_bytes(debian_package({wanted["citrus"].path: content, "usr/share/other.jpg": b"other"}))
        return path

    assert open_library(tmp_path, wanted=wanted, fetch=fetch).pictures == {"citrus": content}
    assert [path.name for path in tmp_path.iterdir()] == [digest]
    assert open_library(tmp_path, wanted=wanted, fetch=no_apt).pictures == {"citrus": content}


def test_pictures_in_resource_archives_are_found(tmp_path: Path) -> None:
    content = b"a picture" * 30
    row = replace(catalogue()["palace"], path="folder/a.webp", sha256=hashlib.sha256(content).hexdigest())

    def fetch(package: str, folder: Path) -> Path | None:
        path = folder / f"{package}_1_all.deb"
        archive = resource_archive(content)
        path.write_bytes(debian_package({"usr/share/gcompris-qt/rcc/folder.rcc": archive}))
        return path

    assert open_library(tmp_path, wanted={"palace": row}, fetch=fetch).has("palace")
