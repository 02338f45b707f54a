"""Waiting for ideas: what passes is waited for, what does not is said."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from PIL import Image

from pellicule.ingest.v1 import media_pb2
from services.cli import outages
from services.cli.client import Services
from services.cli.output import progress_bars
from services.cli.photos import import_folder, roll, upload_file
from services.cli.photos.upload_file import FileResult


def _error(code: grpc.StatusCode, reason: str) -> grpc.aio.AioRpcError:
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason))
    status = status_pb2.Status(code=code.value[0], message="m", details=[detail]).SerializeToString()
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, "m")


class _Suggestion:
    """Fails as it is told, then answers."""

    def __init__(self, *errors: grpc.aio.AioRpcError) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def RefreshSuggestions(self, *_: object, **__: object) -> None:  # noqa: N802  # as in the contract
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


def _services(suggestion: _Suggestion) -> Services:
    return cast("Services", cast("Any", SimpleNamespace(suggestion=suggestion, headers=(), stack_runs=lambda: True)))


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_LONGEST_PAUSE_SECONDS", 0.0)


async def test_ideas_that_another_call_is_making_are_waited_for() -> None:
    busy = _error(grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    suggestion = _Suggestion(busy, busy)

    await import_folder._refresh(_services(suggestion))

    assert suggestion.calls == 3


async def test_what_does_not_pass_is_raised_at_once() -> None:
    suggestion = _Suggestion(_error(grpc.StatusCode.INTERNAL, "INTERNAL"))

    with pytest.raises(grpc.aio.AioRpcError):
        await import_folder._refresh(_services(suggestion))

    assert suggestion.calls == 1


async def test_every_file_has_its_line_even_when_the_wait_for_ideas_fails() -> None:
    class Broken:
        async def GetProgress(self, *_: object, **__: object) -> None:  # noqa: N802  # as in the contract
            raise _error(grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")

    services = cast("Services", cast("Any", SimpleNamespace(analysis=Broken(), headers=(), stack_runs=lambda: False)))
    stored, told = FileResult("a.jpg", "stored", "IN_WINDOW"), list[FileResult]()

    with pytest.raises(grpc.aio.AioRpcError):
        await import_folder._finish(services, [stored], bars=progress_bars(), emit=told.append)

    assert told == [stored]


async def test_ideas_are_not_waited_for_when_files_have_no_answer() -> None:
    lost, told = FileResult("a.jpg", "unanswered", "STACK_UNREACHABLE", answered=False), list[FileResult]()

    await import_folder._finish(_services(_Suggestion()), [lost], bars=progress_bars(), emit=told.append)

    assert told == [lost]


class TestOneEntry:
    """Whatever one entry raises, it is answered for by name, and the others go on."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("a.jpg", "m.jpg", "z.jpg"):
            Image.new("RGB", (8, 8)).save(tmp_path / name)
        (tmp_path / ".trashed-1-b.jpg").write_bytes(b"x")
        return tmp_path

    @pytest.mark.parametrize(
        "error", [RuntimeError("codec"), TypeError("tag"), OverflowError("year"), PermissionError(13, "denied")]
    )
    async def test_that_cannot_be_described(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        described = roll.describe

        def describe(path: Path, folder: Path) -> roll.RollFile:
            if path.name == "m.jpg":
                raise error
            return described(path, folder)

        monkeypatch.setattr(roll, "describe", describe)
        files, answers = await import_folder._describe_all(folder, progress_bars())
        assert [file.name for file in files] == ["a.jpg", "z.jpg"]
        assert [(answer.file, answer.outcome) for answer in answers] == [
            (".trashed-1-b.jpg", "skipped"), ("m.jpg", "refused"),
        ]  # fmt: skip
        assert type(error).__name__ in answers[1].detail
        assert all(answer.answered for answer in answers)

    async def test_that_cannot_be_sent(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def upload(services: Services, task: upload_file.Task, *, with_position: bool) -> FileResult:
            if task.file.name == "m.jpg":
                raise RuntimeError("a codec that failed")
            return FileResult(task.file.name, "stored", task.reason)

        monkeypatch.setattr(upload_file, "upload", upload)
        files, _ = await import_folder._describe_all(folder, progress_bars())
        tasks = [upload_file.Task(file, media_pb2.PLAN_ACTION_UPLOAD_ORIGINAL, "IN_WINDOW", 2048) for file in files]
        answers = await import_folder._upload_all(
            _services(_Suggestion()), tasks, with_position=False, bars=progress_bars(), emit=lambda _: None
        )
        assert [(answer.file, answer.outcome) for answer in answers] == [
            ("a.jpg", "stored"), ("m.jpg", "refused"), ("z.jpg", "stored"),
        ]  # fmt: skip
