"""Bringing a folder in: consent, plan, uploads, and waiting until the ideas are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import grpc
from rich.progress import Progress

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.suggestion.v1 import suggestion_service_pb2
from services.cli.client import LONG_CALL_SECONDS, SHORT_CALL_SECONDS, Services
from services.cli.outages import through
from services.cli.output import CommandFailed, from_rpc
from services.cli.photos import entries, listing, roll, upload_file
from services.cli.photos.upload_file import FileResult

CONCURRENT_UPLOADS = 4
POLL_SECONDS = 0.25
STALLED_SECONDS = 300.0
_OUTAGE_SECONDS = 5.0
"""Answers that come this much later than asked for come after an outage: nothing stood still meanwhile but the line."""
Emit = Callable[[FileResult], None]


async def run(
    services: Services, folder: Path, *, allowed: frozenset[str], wait: bool, bars: Progress, emit: Emit
) -> list[FileResult]:
    """Import a folder; `emit` gets an answer for each file as soon as it is final, whatever happens meanwhile."""
    files, answers = await _describe_all(folder, bars)
    tasks, planned = await upload_file.plan(services, files)
    answers += planned
    for answer in answers:
        emit(answer)
    uploaded = await _upload_all(
        services, tasks, with_position="LOCATION" in allowed, bars=bars, emit=(lambda _: None) if wait else emit
    )
    if wait:
        uploaded = await _finish(services, uploaded, bars=bars, emit=emit)
    return answers + uploaded


async def _describe_all(folder: Path, bars: Progress) -> tuple[list[roll.RollFile], list[FileResult]]:
    roll.register_formats()
    found = await asyncio.to_thread(lambda: list(entries.walk(folder)))
    bar = bars.add_task("looking at files", total=len(found))
    files: list[roll.RollFile] = []
    answers: list[FileResult] = []
    for entry in found:
        described = await asyncio.to_thread(_describe, entry, folder)
        if isinstance(described, FileResult):
            answers.append(described)
        else:
            files.append(described)
        bars.advance(bar)
    return files, answers


def _describe(entry: entries.Entry, folder: Path) -> roll.RollFile | FileResult:
    """Describe a file, or answer for an entry that is none to be imported; whatever is wrong with one is its alone."""
    name = roll.display_name(entry.path, folder)
    if entry.reason:
        return FileResult(name, "skipped" if entry.readable else "refused", entry.reason, entry.detail)
    try:
        return roll.describe(entry.path, folder)
    except roll.FileUnusable as error:
        return FileResult(name, "refused", "FILE_UNUSABLE", str(error))
    except Exception as error:  # noqa: BLE001  # one entry never ends an import: it is answered for by name
        return _unforeseen(name, error)


def _unforeseen(name: str, error: Exception) -> FileResult:
    detail = f"it cannot be imported ({type(error).__name__}: {error}); send an intact copy"
    return FileResult(name, "refused", "FILE_UNUSABLE", detail)


async def _upload_all(
    services: Services, tasks: Sequence[upload_file.Task], *, with_position: bool, bars: Progress, emit: Emit
) -> list[FileResult]:
    """Upload in order of worth, a few at a time; once consent, the token or a service is gone, nothing more is sent."""
    bar = bars.add_task("uploading", total=len(tasks))
    gate = asyncio.Semaphore(CONCURRENT_UPLOADS)
    stopped: list[FileResult] = []

    async def one(task: upload_file.Task) -> FileResult:
        async with gate:
            answer = await _one(services, task, stopped, with_position=with_position)
        bars.advance(bar)
        emit(answer)
        return answer

    return list(await asyncio.gather(*(one(task) for task in tasks)))


async def _one(
    services: Services, task: upload_file.Task, stopped: list[FileResult], *, with_position: bool
) -> FileResult:
    if stopped:
        return replace(stopped[0], file=task.file.name)
    try:
        answer = await upload_file.upload(services, task, with_position=with_position)
    except OSError as error:
        detail = f"{error.strerror}; it changed while it was imported"
        return FileResult(task.file.name, "refused", "FILE_UNUSABLE", detail)
    except Exception as error:  # noqa: BLE001  # as where files are described
        return _unforeseen(task.file.name, error)
    if answer.stops:
        stopped.append(answer)
    return answer


async def _finish(services: Services, uploaded: list[FileResult], *, bars: Progress, emit: Emit) -> list[FileResult]:
    """Wait until everything is understood and the ideas are made; say which files turned out to be broken."""
    try:
        if all(answer.answered for answer in uploaded):
            await _wait_for_analysis(services, bars)
            bar = bars.add_task("making ideas", total=1)
            await _refresh(services)
            bars.advance(bar)
            parked = await _parked(services)
            uploaded = [_with_parking(answer, parked.get(answer.media)) for answer in uploaded]
    finally:
        # Every file has its line, even when the wait for what is made of it fails or is broken off.
        for answer in uploaded:
            emit(answer)
    return uploaded


async def _wait_for_analysis(services: Services, bars: Progress) -> None:
    bar = bars.add_task("understanding", total=None)
    loop = asyncio.get_running_loop()
    last, since, asked = (-1, -1, -1), loop.time(), loop.time()
    while True:
        reply, kept = (
            await through(services, lambda: _progress(services)),
            await through(services, lambda: _kept(services)),
        )
        finished = reply.done_count + reply.parked_count
        bars.update(bar, completed=finished, total=finished + reply.pending_count)
        # A photo that was stored a moment ago may not have been heard of yet.
        if reply.pending_count == 0 and finished >= kept:
            return
        seen, now = (finished, reply.pending_count, kept), loop.time()
        if seen != last or reply.at_work or now - asked > _OUTAGE_SECONDS:
            last, since = seen, now
        if now - since > STALLED_SECONDS:
            raise _stalled(finished, reply.pending_count, kept)
        asked = now
        await asyncio.sleep(POLL_SECONDS)


async def _progress(services: Services) -> analysis_service_pb2.GetProgressResponse:
    request = analysis_service_pb2.GetProgressRequest()
    return await services.analysis.GetProgress(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)


def _stalled(finished: int, pending: int, kept: int) -> CommandFailed:
    unheard = max(kept - finished - pending, 0)
    heard = f", {unheard} more were not heard of" if unheard else ""
    return CommandFailed(
        "ANALYSIS_STALLED",
        f"for {STALLED_SECONDS:.0f} s no photo was understood: {pending} wait{heard}; they are kept and will be"
        " understood: look at `pellicule status` and the logs",
    )


async def _kept(services: Services) -> int:
    """Count the media that are kept; none once consent was withdrawn."""
    try:
        return len(await listing.media(services))
    except grpc.aio.AioRpcError as error:
        if from_rpc(error).reason in upload_file.STOPPING:
            return 0
        raise


async def _refresh(services: Services) -> None:
    """Make the ideas. They are begun without being asked for; who comes second waits for its turn."""
    request = suggestion_service_pb2.RefreshSuggestionsRequest()

    async def make() -> None:
        await services.suggestion.RefreshSuggestions(request, metadata=services.headers, timeout=LONG_CALL_SECONDS)

    try:
        await through(services, make, patience=STALLED_SECONDS)
    except grpc.aio.AioRpcError as error:
        # Consent withdrawn meanwhile is an answer, not a failure: the files have been answered for.
        if from_rpc(error).reason not in upload_file.STOPPING:
            raise


async def _parked(services: Services) -> dict[str, analysis_pb2.Analysis]:
    """Return what could not be understood, by media; nothing once consent was withdrawn."""
    try:
        found = await through(services, lambda: listing.analyses(services))
    except grpc.aio.AioRpcError as error:
        if from_rpc(error).reason in upload_file.STOPPING:
            return {}
        raise
    return {row.media: row for row in found if row.state == analysis_pb2.ANALYSIS_STATE_PARKED}


def _with_parking(answer: FileResult, parked: analysis_pb2.Analysis | None) -> FileResult:
    if parked is None:
        return answer
    reason = analysis_pb2.ParkedReason.Name(parked.parked_reason).removeprefix("PARKED_REASON_")
    return replace(answer, outcome="refused", reason=reason, detail=parked.parked_detail)
