"""Whatever lies in a folder, every file gets an answer with its reason, and nothing crashes or is lost."""

import os
import struct
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.harness import Row, RunningStack
from tests.e2e.pictures import now, save, sources

WHO = "messy"


def png_of(width: int, height: int) -> bytes:
    """Return a well-formed PNG that says it is huge and holds almost nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("messy")
    good = save(folder / "good.jpg", sources()["cat"], now() - timedelta(days=1)).read_bytes()
    (folder / "copy of good.jpg").write_bytes(good)
    (folder / "truncated.jpg").write_bytes(good[: len(good) // 2])
    middle = len(good) // 2
    (folder / "corrupt.jpg").write_bytes(good[:700] + os.urandom(middle) + good[700 + middle :])
    (folder / "text.jpg").write_text("I am no picture\n" * 100)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "huge.png").write_bytes(png_of(30_000, 30_000))
    (folder / "notes.txt").write_text("buy milk")
    (folder / "clip.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(2000))
    Image.new("RGB", (3, 3), (9, 9, 9)).save(folder / "tiny.png")
    (folder / "näme with 'quotes' and \"more\".jpg").write_bytes(good + b"\0")
    (folder / "newline\nname.jpg").write_bytes(good + b"\0\0")
    (folder / "dangling.jpg").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe.jpg")
    Path(os.fsdecode(os.fsencode(folder) + b"/latin\xe9.jpg")).write_bytes(good + b"\0\0\0")
    return folder


@pytest.fixture(scope="module")
def answers(stack: RunningStack, folder: Path) -> dict[str, Row]:
    return stack.bring_in(folder, WHO, "CLOUD_PROCESSING")


def test_every_file_gets_exactly_one_answer(answers: dict[str, Row], folder: Path) -> None:
    assert len(answers) == sum(1 for _ in os.scandir(os.fsencode(folder)))
    assert {str(row["outcome"]) for row in answers.values()} <= {"stored", "known", "skipped", "refused"}
    assert all(row["reason"] for row in answers.values())


@pytest.mark.parametrize(
    "name",
    ["good.jpg", "näme with 'quotes' and \"more\".jpg", "newline\nname.jpg", "latin\\xe9.jpg", "tiny.png"],
)
def test_a_good_picture_is_stored_whatever_its_name_or_size(answers: dict[str, Row], name: str) -> None:
    assert answers[name]["outcome"] in ("stored", "known"), answers[name]


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("truncated.jpg", {"MEDIA_CORRUPT", "CORRUPT"}),
        ("corrupt.jpg", {"MEDIA_CORRUPT", "CORRUPT"}),
        ("text.jpg", {"MEDIA_TYPE_UNSUPPORTED", "TYPE_UNSUPPORTED"}),
        ("empty.jpg", {"EMPTY", "MEDIA_EMPTY"}),
        ("huge.png", {"TOO_LARGE", "MEDIA_TOO_MANY_PIXELS"}),
        ("notes.txt", {"MEDIA_TYPE_UNSUPPORTED", "TYPE_UNSUPPORTED"}),
        ("clip.mp4", {"MEDIA_TYPE_UNSUPPORTED", "TYPE_UNSUPPORTED"}),
        ("dangling.jpg", {"FILE_UNUSABLE"}),
        ("pipe.jpg", {"FILE_UNUSABLE"}),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_reason(answers: dict[str, Row], name: str, reasons: set[str]) -> None:
    assert answers[name]["outcome"] == "refused", answers[name]
    assert answers[name]["reason"] in reasons


def test_one_of_two_copies_is_stored_and_the_other_known(answers: dict[str, Row]) -> None:
    assert sorted(str(answers[name]["outcome"]) for name in ("good.jpg", "copy of good.jpg")) == ["known", "stored"]


def test_nothing_restarted(stack: RunningStack, answers: dict[str, Row]) -> None:
    assert {part.part: part.restarts for part in stack.state.parts if part.restarts} == {}


def test_refused_files_leave_no_row_behind(stack: RunningStack, answers: dict[str, Row]) -> None:
    stored = [row for row in answers.values() if row["outcome"] == "stored"]
    findings = stack.findings(WHO)
    assert {name for name, row in findings.items() if row["state"] == "done"} == {str(row["file"]) for row in stored}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("import", "/nowhere/at/all", "--grant", "CLOUD_PROCESSING"), "FOLDER_MISSING"),
        (("import", "/tmp", "--grant", "ADVERTISING"), "PURPOSE_UNKNOWN"),
        (("withdraw", "EVERYTHING"), "PURPOSE_UNKNOWN"),
        (("consent", "--grant", "LOCATION", "--subject", "fresh"), "PURPOSE_NEEDS_ANOTHER"),
        (("consent", "--grant", "CLOUD_PROCESSING,FACE_GROUPING", "--region", "US-IL", "--subject", "fresh"),
         "PURPOSE_NOT_AVAILABLE"),
        (("consent", "--grant", "CLOUD_PROCESSING", "--region", "", "--subject", "fresh"), "PURPOSE_NOT_AVAILABLE"),
        (("ideas", "--subject", "fresh", "--save", "/proc/nothing"), "FILE_UNUSABLE"),
        (("erase", "--yes", "--subject", WHO, "--file", "no such file"), "MEDIA_NOT_FOUND"),
        (("erase", "--subject", WHO), "NOT_CONFIRMED"),
        (("consent", "--region", "USA"), "REGION_UNKNOWN"),
        (("bench", "nonsense"), "BENCH_UNKNOWN"),
        (("token", "--ttl", "soon"), "FIELD_INVALID"),
    ],
)  # fmt: skip
def test_a_wrong_command_is_one_line_with_its_reason(
    stack: RunningStack, arguments: tuple[str, ...], reason: str
) -> None:
    assert stack.failure(*arguments)["reason"] == reason
