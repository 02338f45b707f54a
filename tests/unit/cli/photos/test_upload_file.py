"""Uploading: what breaks is resumed, what is refused is said."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.cli import outages
from services.cli.client import Services
from services.cli.photos import upload_file
from services.cli.photos.roll import RollFile
from services.picture_files.capture_time import Source, Taken
from services.picture_files.timestamps import Precision

DAY = datetime(2026, 11, 1)  # noqa: DTZ001 - the zone is not known
THERE = datetime(2026, 11, 1, 10, tzinfo=timezone(timedelta(hours=2)))


class _Media:
    """Breaks as many streams as it is told, then keeps what comes."""

    def __init__(self, breaks: int, code: grpc.StatusCode) -> None:
        self._breaks, self._code = breaks, code
        self.requests: list[str] = []

    async def StartUpload(  # noqa: N802  # as in the contract
        self, request: media_service_pb2.StartUploadRequest, **_: object
    ) -> media_service_pb2.StartUploadResponse:
        self.requests.append(request.request_id)
        return media_service_pb2.StartUploadResponse(upload=media_pb2.Upload(name="uploads/1"))

    async def UploadMedia(self, requests: Any, **_: object) -> media_service_pb2.UploadMediaResponse:  # noqa: N802
        if self._breaks:
            self._breaks -= 1
            raise grpc.aio.AioRpcError(self._code, grpc.aio.Metadata(), grpc.aio.Metadata(), "from gRPC itself")
        sent = b"".join([request.chunk async for request in requests])
        return media_service_pb2.UploadMediaResponse(upload=media_pb2.Upload(media=f"media/{len(sent)}"))


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_LONGEST_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(outages, "PATIENCE_SECONDS", 0.1)


def _task(folder: Path) -> upload_file.Task:
    path = folder / "a.jpg"
    path.write_bytes(bytes(300_000))
    file = RollFile(
        path=path, name="a.jpg", sha256=hashlib.sha256(path.read_bytes()).digest(), size=300_000,
        taken=Taken(datetime(2026, 11, 1, tzinfo=UTC), Source.EXIF_ORIGINAL), width=4, height=3,
        content_type="image/jpeg", screenshot=False,
    )  # fmt: skip
    return upload_file.Task(file, media_pb2.PLAN_ACTION_UPLOAD_ORIGINAL, "IN_WINDOW", 2048)


async def _upload(media: _Media, folder: Path) -> upload_file.FileResult:
    services = cast("Services", cast("Any", SimpleNamespace(media=media, headers=(), stack_runs=lambda: True)))
    return await upload_file.upload(services, _task(folder), with_position=False)


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE])
async def test_a_stream_that_breaks_is_sent_again_under_the_same_request(tmp_path: Path, code: grpc.StatusCode) -> None:
    media = _Media(2, code)
    answer = await _upload(media, tmp_path)
    assert (answer.outcome, answer.media) == ("stored", "media/300000")
    assert len(media.requests) == 3
    assert len(set(media.requests)) == 1


async def test_a_stream_that_always_breaks_has_no_answer_and_a_remedy(tmp_path: Path) -> None:
    answer = await _upload(_Media(10**6, grpc.StatusCode.INTERNAL), tmp_path)
    assert (answer.outcome, answer.reason, answer.answered) == ("unanswered", "CALL_BROKEN", False)
    assert "run the command again" in answer.detail


@pytest.mark.parametrize(
    ("code", "outcome", "answered", "stops"),
    [
        (grpc.StatusCode.UNAVAILABLE, "unanswered", False, True),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "unanswered", False, True),
        (grpc.StatusCode.INVALID_ARGUMENT, "refused", True, False),
    ],
)
async def test_only_what_a_service_said_of_the_file_is_an_answer(
    tmp_path: Path, code: grpc.StatusCode, outcome: str, answered: bool, stops: bool
) -> None:
    answer = await _upload(_Media(10**6, code), tmp_path)
    assert (answer.outcome, answer.answered, answer.stops) == (outcome, answered, stops)


def test_every_reason_to_skip_is_explained() -> None:
    uploads = {"UNSPECIFIED", "IN_WINDOW", "SMALL", "OLDER_MEDIA_GRANTED", "ORIGINAL_WANTED", "SCREENSHOT", "MISSING"}
    reasons = {name.removeprefix("PLAN_REASON_") for name in map(str, media_pb2.PlanReason.keys())}
    assert reasons - uploads == upload_file._EXPLAINED.keys()


async def test_an_asset_that_cannot_be_planned_is_refused_with_what_is_wrong_and_the_others_go_up(
    tmp_path: Path,
) -> None:
    good, bad = _task(tmp_path).file, replace(_task(tmp_path).file, path=tmp_path / "b.jpg", name="b.jpg")

    class Plans:
        async def PlanUploads(self, request: Any, **_: object) -> media_service_pb2.PlanUploadsResponse:  # noqa: N802
            assert request.can_reduce
            wrong = media_pb2.PlanViolation(field="capture_time", description="it is before 1826")
            return media_service_pb2.PlanUploadsResponse(
                reduced_long_side=2048,
                items=[
                    media_pb2.PlanItem(client_id=good.client_id, action=media_pb2.PLAN_ACTION_UPLOAD_REDUCED),
                    media_pb2.PlanItem(
                        client_id=bad.client_id, action=media_pb2.PLAN_ACTION_SKIP,
                        reason=media_pb2.PLAN_REASON_INVALID, violations=[wrong],
                    ),
                ],
            )  # fmt: skip

    services = cast("Services", cast("Any", SimpleNamespace(media=Plans(), headers=(), stack_runs=lambda: True)))
    tasks, answers = await upload_file.plan(services, [good, bad])

    assert [(task.file.name, task.reduced_long_side) for task in tasks] == [("a.jpg", 2048)]
    assert [(answer.outcome, answer.detail) for answer in answers] == [("refused", "capture_time: it is before 1826")]


async def test_files_that_cannot_be_planned_for_an_outage_have_no_answer_and_are_named(tmp_path: Path) -> None:
    class Away:
        async def PlanUploads(self, *_: object, **__: object) -> None:  # noqa: N802
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "m")

    services = cast("Services", cast("Any", SimpleNamespace(media=Away(), headers=(), stack_runs=lambda: True)))
    tasks, answers = await upload_file.plan(services, [_task(tmp_path).file])

    assert tasks == []
    assert [(answer.outcome, answer.answered) for answer in answers] == [("unanswered", False)]


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (Taken(THERE, Source.XMP), ("2026-11-01T08:00:00Z", 7200, "XMP", "SECOND")),
        (Taken(DAY, Source.FILE_NAME, Precision.DAY), ("2026-11-01T00:00:00Z", None, "FILE_NAME", "DAY")),
        (Taken(DAY.replace(tzinfo=UTC), Source.FILE_TIME), ("2026-11-01T00:00:00Z", None, "FILE_TIME", "SECOND")),
    ],
)
def test_what_is_known_of_the_time_is_announced(tmp_path: Path, taken: Taken, said: tuple[object, ...]) -> None:
    summary = upload_file.summary(replace(_task(tmp_path).file, taken=taken))
    offset = summary.capture_utc_offset.seconds if summary.HasField("capture_utc_offset") else None
    names = (
        media_pb2.CaptureTimeSource.Name(summary.capture_time_source).removeprefix("CAPTURE_TIME_SOURCE_"),
        media_pb2.CaptureTimePrecision.Name(summary.capture_time_precision).removeprefix("CAPTURE_TIME_PRECISION_"),
    )
    assert (summary.capture_time.ToJsonString(), offset, *names) == said


def test_a_time_that_is_not_known_is_not_announced(tmp_path: Path) -> None:
    assert not upload_file.summary(replace(_task(tmp_path).file, taken=None)).HasField("capture_time")


class _Plan:
    """Asks for every asset that it is told of."""

    async def PlanUploads(  # noqa: N802  # as in the contract
        self, request: media_service_pb2.PlanUploadsRequest, **_: object
    ) -> media_service_pb2.PlanUploadsResponse:
        items = [
            media_pb2.PlanItem(client_id=asset.client_id, action=media_pb2.PLAN_ACTION_UPLOAD_ORIGINAL)
            for asset in request.assets
        ]
        return media_service_pb2.PlanUploadsResponse(items=items)


async def test_a_file_that_cannot_be_described_to_the_service_is_answered_for_and_the_others_are_planned(
    tmp_path: Path,
) -> None:
    services = cast("Services", cast("Any", SimpleNamespace(media=_Plan(), headers=(), stack_runs=lambda: True)))
    good = _task(tmp_path).file
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    odd = replace(good, name="odd.jpg", path=tmp_path / "odd.jpg", taken=Taken(first, Source.XMP))

    tasks, answers = await upload_file.plan(services, [odd, good])

    assert [task.file.name for task in tasks] == ["a.jpg"]
    assert [(answer.file, answer.outcome, answer.reason) for answer in answers] == [("odd.jpg", "refused", "INVALID")]


def test_a_name_is_sent_as_it_is(tmp_path: Path) -> None:
    named = replace(_task(tmp_path).file, name="\x1b[31mred\x07\nname.jpg")
    assert upload_file.summary(named).file_name == "\x1b[31mred\x07\nname.jpg"


def test_of_a_path_that_is_too_long_the_end_is_sent(tmp_path: Path) -> None:
    long = replace(_task(tmp_path).file, name="folder/" * 200 + "m.jpg")
    sent = upload_file.summary(long).file_name
    assert (len(sent), sent[0]) == (1024, "…")
    assert long.name.endswith(sent[1:])
