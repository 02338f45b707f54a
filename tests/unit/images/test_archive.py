"""What an image consists of is read out of its archive, layer over layer."""

from pathlib import Path

import pytest

from deploy.images.archive import ArchiveUnreadable, read_archive
from tests.unit.images.archives import write_archive


def everything(path: str) -> bool:
    return True


def test_upper_layers_replace_and_remove_what_lower_ones_have(tmp_path: Path) -> None:
    layers = [
        {"a/kept": b"1", "a/gone": b"1", "b/folder/x": b"1", "c/old": b"1", "d": b"1"},
        {"a/.wh.gone": b"", "b/.wh.folder": b"", "c/.wh..wh..opq": b"", "d": b"2"},
    ]

    image = read_archive(write_archive(tmp_path / "image.tar", layers), everything)

    assert image.files == {"a/kept": b"1", "d": b"2"}


def test_a_file_that_comes_back_is_there(tmp_path: Path) -> None:
    layers = [{"a": b"1"}, {".wh.a": b""}, {"./a": b"3"}]

    assert read_archive(write_archive(tmp_path / "image.tar", layers), everything).files == {"a": b"3"}


def test_only_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    image = read_archive(write_archive(tmp_path / "image.tar", [{"a": b"1", "b": b"2"}]), lambda path: path == "b")

    assert image.files == {"b": b"2"}


def test_every_layer_is_told_with_its_step_and_its_size(tmp_path: Path) -> None:
    image = read_archive(write_archive(tmp_path / "image.tar", [{"a": b"123"}, {"b": b"1", "c": b"1"}]), everything)

    assert [(layer.made_by, layer.size) for layer in image.layers] == [("step 0", 3), ("step 1", 2)]
    assert (image.name, image.size) == ("pellicule:test", 5)


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "image.tar"
    if content is None:
        write_archive(file, [{"a": b"1"}])
        content = file.read_bytes()[:1500]
    file.write_bytes(content)

    with pytest.raises(ArchiveUnreadable, match=r"image\.tar"):
        read_archive(file, everything)
