"""What of a folder is imported, what is not meant to be seen, and that nothing in it ends the walk."""

import os
from pathlib import Path

import pytest

from services.cli.photos import entries


def made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def walked(folder: Path) -> dict[str, str]:
    """Return why each entry is skipped, by its path below the folder, in the order in which they came."""
    return {entry.path.relative_to(folder).as_posix(): entry.reason for entry in entries.walk(folder)}


def test_every_file_of_every_folder_comes_once_in_the_order_of_names(tmp_path: Path) -> None:
    made(tmp_path, "z.jpg", "b/y.txt", "b/c/x", ".hidden", ".dotted/a.jpg")
    assert list(walked(tmp_path)) == [".dotted/a.jpg", ".hidden", "b/c/x", "b/y.txt", "z.jpg"]
    assert set(walked(tmp_path).values()) == {""}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".trashed-1798000000-IMG_1.jpg", "TRASHED"),
        ("DCIM/.Trashed-1798000000-IMG_1.jpg", "TRASHED"),
        (".pending-1798000000-IMG_1.jpg", "PENDING"),
        ("DCIM/.pending-99-PXL_1.MP.jpg", "PENDING"),
        ("._IMG_1.jpg", "SIDE_FILE"),
        ("__MACOSX/a/._b.jpg", "SIDE_FILE"),
        ("@eaDir/IMG_1.jpg/SYNOPHOTO_THUMB_XL.jpg", "THUMBNAIL"),
        ("2020/@eaDir/a.jpg", "THUMBNAIL"),
        ("DCIM/.thumbnails/1.jpg", "THUMBNAIL"),
        (".Thumbs/1.jpg", "THUMBNAIL"),
        ("Thumbnails/deep/1.jpg", "THUMBNAIL"),
        (".@__thumb/default1.jpg", "THUMBNAIL"),
        ("#recycle/a.jpg", "TRASHED"),
        ("$RECYCLE.BIN/a.jpg", "TRASHED"),
        (".Trash-1000/files/a.jpg", "TRASHED"),
        (".Trashes/501/a.jpg", "TRASHED"),
        ("thumbs.jpg", ""),
        ("my thumbnails/a.jpg", ""),
        ("trashed-1-a.jpg", ""),
        ("pending.jpg", ""),
    ],
)
def test_what_is_not_meant_to_be_seen_is_skipped(tmp_path: Path, name: str, reason: str) -> None:
    made(tmp_path, name, "seen.jpg")
    assert walked(tmp_path) == {name: reason, "seen.jpg": ""}


def test_a_folder_marked_as_no_media_is_skipped_with_all_folders_in_it(tmp_path: Path) -> None:
    made(tmp_path, "app/.nomedia", "app/a.jpg", "app/deep/er/b.jpg", "seen.jpg")
    found = walked(tmp_path)
    assert found.pop("seen.jpg") == ""
    assert set(found) == {"app/.nomedia", "app/a.jpg", "app/deep/er/b.jpg"}
    assert set(found.values()) == {"NO_MEDIA"}


def test_what_is_skipped_says_what_to_do(tmp_path: Path) -> None:
    made(tmp_path, ".trashed-1-a.jpg", "m/.nomedia", "@eaDir/t.jpg")
    assert all(entry.detail and entry.readable for entry in entries.walk(tmp_path))


class TestLinks:
    def test_a_link_out_of_the_folder_is_skipped(self, tmp_path: Path) -> None:
        made(tmp_path, "outside/secret.jpg", "roll/a.jpg")
        (tmp_path / "roll" / "link.jpg").symlink_to(tmp_path / "outside" / "secret.jpg")
        (tmp_path / "roll" / "up").symlink_to("../outside", target_is_directory=True)
        (tmp_path / "roll" / "gone.jpg").symlink_to(tmp_path / "outside" / "nowhere.jpg")
        found = walked(tmp_path / "roll")
        assert found == {"a.jpg": "", "gone.jpg": "LINK_OUTSIDE", "link.jpg": "LINK_OUTSIDE", "up": "LINK_OUTSIDE"}

    def test_a_link_within_the_folder_is_followed_to_files_alone(self, tmp_path: Path) -> None:
        made(tmp_path, "a/b.jpg")
        (tmp_path / "to file.jpg").symlink_to("a/b.jpg")
        (tmp_path / "to folder").symlink_to("a", target_is_directory=True)
        assert walked(tmp_path) == {"a/b.jpg": "", "to file.jpg": "", "to folder": "LINK"}

    def test_a_link_does_not_bring_in_what_is_hidden_elsewhere(self, tmp_path: Path) -> None:
        made(tmp_path, ".trashed-1-a.jpg", "m/.nomedia", "m/b.jpg", "x/@eaDir/c.jpg")
        for number, target in enumerate((".trashed-1-a.jpg", "m/b.jpg", "x/@eaDir/c.jpg")):
            (tmp_path / f"{number}.jpg").symlink_to(target)
        found = walked(tmp_path)
        assert [found[f"{number}.jpg"] for number in range(3)] == ["TRASHED", "NO_MEDIA", "THUMBNAIL"]

    def test_the_folder_itself_may_be_a_link(self, tmp_path: Path) -> None:
        made(tmp_path, "real/a.jpg")
        (tmp_path / "real" / "b.jpg").symlink_to("a.jpg")
        (tmp_path / "roll").symlink_to("real", target_is_directory=True)
        assert walked(tmp_path / "roll") == {"a.jpg": "", "b.jpg": ""}

    def test_loops_and_links_to_nothing_are_left_to_the_reader(self, tmp_path: Path) -> None:
        (tmp_path / "self.jpg").symlink_to("self.jpg")
        (tmp_path / "nothing.jpg").symlink_to("nowhere.jpg")
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
        assert walked(tmp_path) == {"loop": "LINK", "nothing.jpg": "", "self.jpg": ""}


class TestUnreadable:
    def test_a_folder_that_cannot_be_listed_is_named_and_the_rest_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made(tmp_path, "a.jpg", "locked/b.jpg", "z.jpg")
        listed = os.scandir

        def scandir(path: Path) -> object:
            if path.name == "locked":
                raise PermissionError(13, "Permission denied", str(path))
            return listed(path)

        monkeypatch.setattr(os, "scandir", scandir)
        found = {entry.path.name: entry for entry in entries.walk(tmp_path)}
        assert list(found) == ["a.jpg", "locked", "z.jpg"]
        assert (found["locked"].readable, found["locked"].reason) == (False, "FOLDER_UNREADABLE")
        assert "Permission denied" in found["locked"].detail

    def test_folders_may_be_deeper_than_calls_may_be_nested(self, tmp_path: Path) -> None:
        made(tmp_path, "z.jpg")
        deepest = tmp_path
        for _ in range(1200):
            deepest = deepest / "d"
            deepest.mkdir()
        try:
            assert [entry.path.name for entry in entries.walk(tmp_path)] == ["z.jpg"]
        finally:
            while deepest != tmp_path:
                deepest.rmdir()
                deepest = deepest.parent
