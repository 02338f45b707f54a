"""Planning and uploading files as a phone does: what the service asks for, resumed where it broke off."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import grpc

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.cli.client import CHUNK_SIZE, LONG_CALL_SECONDS, SHORT_CALL_SECONDS, Services
from services.cli.outages import ends_by_itself, through
from services.cli.output import from_rpc, is_outage
from services.cli.photos import roll
from services.picture_files.capture_time import Source, Taken

PLAN_SIZE = 500
_LONGEST_NAME = 1024
_RESUMABLE = frozenset({"UPLOAD_OFFSET_WRONG", "UPLOAD_TAKEN_OVER"})
_BROKEN = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN})
STOPPING = frozenset({"PURPOSE_NOT_GRANTED", "TOKEN_EXPIRED"})
_REFUSED = frozenset({"TYPE_UNSUPPORTED", "EMPTY", "TOO_LARGE", "INVALID"})
_KNOWN = frozenset({"KNOWN", "DUPLICATE"})
_EXPLAINED = {
    "KNOWN": "it is kept already",
    "DUPLICATE": "the same file comes in under another name",
    "OUTSIDE_WINDOW": "it was taken before the window and OLDER_MEDIA does not reach back to it; grant OLDER_MEDIA",
    "QUOTA": "the share of the store is used up; delete photos, or wait until some expire",
    "TYPE_UNSUPPORTED": "its content is none of JPEG, PNG, WebP, HEIC and AVIF; convert it",
    "EMPTY": "the file has no bytes; copy it again",
    "TOO_LARGE": "it has more bytes or pixels than the service takes; send a smaller copy",
    "INVALID": "the service cannot use what is said of it",
    "DELETED": "you deleted it here before; it is not asked for again",
}


@dataclass(frozen=True)
class FileResult:
    """What became of a file: `outcome` is stored, known, skipped, refused or unanswered; `media` is set if it is kept.

    Attributes:
        answered: no service was out of reach or broken; sent again, it would have the same answer.
        stops: the next file would have the same answer, so that none is sent.
    """

    file: str
    outcome: str
    reason: str
    detail: str = ""
    media: str = ""
    answered: bool = True
    stops: bool = False

    @property
    def row(self) -> dict[str, object]:
        """The line that scripts read."""
        return {"file": self.file, "outcome": self.outcome, "reason": self.reason, "detail": self.detail}


@dataclass(frozen=True)
class Task:
    """A file to upload, and in which form."""

    file: roll.RollFile
    action: media_pb2.PlanAction.ValueType
    reason: str
    reduced_long_side: int


async def plan(services: Services, files: Sequence[roll.RollFile]) -> tuple[list[Task], list[FileResult]]:
    """Ask which files are wanted; return the uploads in order of worth, and the answers for the others."""
    tasks: list[Task] = []
    answers: list[FileResult] = []
    for start in range(0, len(files), PLAN_SIZE):
        batch = {file.client_id: file for file in files[start : start + PLAN_SIZE]}
        assets, unusable = _summaries(batch.values())
        answers += [answer for _, answer in unusable]
        for client_id, _ in unusable:
            del batch[client_id]
        if not batch:
            continue
        request = media_service_pb2.PlanUploadsRequest(assets=assets, can_reduce=True)
        try:
            reply = await through(services, partial(_plan, services, request))
        except grpc.aio.AioRpcError as error:
            if not is_outage(error):
                raise
            left = (*batch.values(), *files[start + PLAN_SIZE :])
            return tasks, answers + [_failed(file.name, error) for file in left]
        for item in reply.items:
            file = batch[item.client_id]
            reason = media_pb2.PlanReason.Name(item.reason).removeprefix("PLAN_REASON_")
            if item.action == media_pb2.PLAN_ACTION_SKIP:
                answers.append(FileResult(file.name, _outcome(reason), reason, _detail(reason, item), item.media))
            else:
                tasks.append(Task(file, item.action, reason, reply.reduced_long_side))
    return tasks, answers


def _summaries(
    files: Iterable[roll.RollFile],
) -> tuple[list[media_pb2.AssetSummary], list[tuple[str, FileResult]]]:
    """Return what the service is told, and the answers for files of which it cannot be told, by client id."""
    assets: list[media_pb2.AssetSummary] = []
    unusable: list[tuple[str, FileResult]] = []
    for file in files:
        try:
            assets.append(summary(file))
        except (ValueError, OverflowError, TypeError) as error:
            # Such as a time of capture that is before year 1 where time is counted from.
            detail = f"what it says of itself cannot be sent ({error}); correct it, or send another copy"
            unusable.append((file.client_id, FileResult(file.name, "refused", "INVALID", detail)))
    return assets, unusable


def summary(file: roll.RollFile) -> media_pb2.AssetSummary:
    """Return what the service is told of a file before it is uploaded."""
    message = media_pb2.AssetSummary(
        client_id=file.client_id, sha256=file.sha256, size_bytes=file.size,
        width=file.width, height=file.height, content_type=file.content_type, file_name=_file_name(file.name),
        screenshot=file.screenshot,
    )  # fmt: skip
    if file.taken is not None:
        _say_when(message, file.taken)
    return message


def _say_when(message: media_pb2.AssetSummary, taken: Taken) -> None:
    # A wall clock of an unknown zone is announced as if it were in UTC.
    time, offset = taken.time, taken.time.utcoffset()
    message.capture_time.FromDatetime(time if offset is not None else time.replace(tzinfo=UTC))
    if offset is not None and taken.source is not Source.FILE_TIME:
        message.capture_utc_offset.FromTimedelta(timedelta(minutes=round(offset / timedelta(minutes=1))))
    message.capture_time_source = media_pb2.CaptureTimeSource.Value(f"CAPTURE_TIME_SOURCE_{taken.source}")
    message.capture_time_precision = media_pb2.CaptureTimePrecision.Value(f"CAPTURE_TIME_PRECISION_{taken.precision}")


def _file_name(name: str) -> str:
    """Return a name as the service takes it: of a path that is too long, the end."""
    return name if len(name) <= _LONGEST_NAME else "…" + name[1 - _LONGEST_NAME :]


async def upload(services: Services, task: Task, *, with_position: bool) -> FileResult:
    """Upload one file; a stream that breaks is resumed from what is committed."""
    content, form = await asyncio.to_thread(_content, task, with_position=with_position)
    request_id = str(uuid4())
    try:
        return await through(services, lambda: _attempt(services, task, content, form, request_id), passes=_passes)
    except grpc.aio.AioRpcError as error:
        return _failed(task.file.name, error)


async def _plan(
    services: Services, request: media_service_pb2.PlanUploadsRequest
) -> media_service_pb2.PlanUploadsResponse:
    return await services.media.PlanUploads(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)


def _detail(reason: str, item: media_pb2.PlanItem) -> str:
    return "; ".join(f"{each.field}: {each.description}" for each in item.violations) or _EXPLAINED.get(reason, "")


def _passes(error: BaseException) -> bool:
    """Say whether the same upload may succeed a moment later."""
    resumable = isinstance(error, grpc.aio.AioRpcError) and from_rpc(error).reason in _RESUMABLE
    return resumable or ends_by_itself(error)


def _failed(name: str, error: grpc.aio.AioRpcError) -> FileResult:
    failure, out_of_reach = from_rpc(error), is_outage(error)
    broken = out_of_reach or error.code() in _BROKEN or failure.reason in _RESUMABLE | {"TOKEN_EXPIRED"}
    return FileResult(
        name,
        "unanswered" if broken else "skipped" if failure.reason in STOPPING else "refused",
        failure.reason,
        failure.message,
        answered=not broken,
        stops=out_of_reach or failure.reason in STOPPING,
    )


def _outcome(reason: str) -> str:
    if reason in _KNOWN:
        return "known"
    return "refused" if reason in _REFUSED else "skipped"


def _content(task: Task, *, with_position: bool) -> tuple[bytes | Path, media_pb2.MediaForm.ValueType]:
    """Return what to send: a reduced copy if one was asked for and can be made, else the file itself."""
    if task.action == media_pb2.PLAN_ACTION_UPLOAD_REDUCED:
        try:
            reduced = roll.reduce(task.file.path, task.reduced_long_side, with_position=with_position)
        except roll.NotDecodable:
            # A broken picture goes up as it is: the service names what is wrong with it better than Pillow does.
            return task.file.path, media_pb2.MEDIA_FORM_ORIGINAL
        return reduced, media_pb2.MEDIA_FORM_REDUCED
    return task.file.path, media_pb2.MEDIA_FORM_ORIGINAL


async def _attempt(
    services: Services,
    task: Task,
    content: bytes | Path,
    form: media_pb2.MediaForm.ValueType,
    request_id: str,
) -> FileResult:
    start = media_service_pb2.StartUploadRequest(
        request_id=request_id, asset=summary(task.file), form=form,
        size_bytes=len(content) if isinstance(content, bytes) else task.file.size,
        sha256=hashlib.sha256(content).digest() if isinstance(content, bytes) else task.file.sha256,
    )  # fmt: skip
    opened = await services.media.StartUpload(start, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    if opened.upload.media:
        return FileResult(task.file.name, "stored", task.reason, media=opened.upload.media)
    reply = await services.media.UploadMedia(
        _stream(opened.upload, content), metadata=services.headers, timeout=LONG_CALL_SECONDS
    )
    return FileResult(task.file.name, "stored", task.reason, media=reply.upload.media)


async def _stream(
    upload: media_pb2.Upload, content: bytes | Path
) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    offset = upload.committed_size_bytes
    yield media_service_pb2.UploadMediaRequest(header=media_service_pb2.UploadHeader(upload=upload.name, offset=offset))
    if isinstance(content, bytes):
        for position in range(offset, len(content), CHUNK_SIZE):
            yield media_service_pb2.UploadMediaRequest(chunk=content[position : position + CHUNK_SIZE])
        return
    with content.open("rb") as file:
        file.seek(offset)
        while chunk := await asyncio.to_thread(file.read, CHUNK_SIZE):
            yield media_service_pb2.UploadMediaRequest(chunk=chunk)
