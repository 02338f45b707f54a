"""Client of the analysis service: photos as it describes them, and their previews."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, timedelta

import grpc
import numpy as np

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2, analysis_service_pb2_grpc
from pellicule.internal.analysis.v1 import library_service_pb2, library_service_pb2_grpc
from services.chassis.channels import acting_for
from services.chassis.error_details import as_domain_error, read_error
from services.chassis.errors import DependencyUnavailable, FieldInvalid
from services.keyring import PurposeNotGranted
from services.suggestion.domain.geometry import Box, Position
from services.suggestion.domain.photos import Photo
from services.suggestion.ports import AnalyzedPhoto

PAGE_SIZE = 100
"""Entries with a crowd in each still fit into one message of 4 MiB."""
CALL_SECONDS = 30.0
LISTINGS = 5
"""A listing begins again when the photo that a page ended with was erased."""
_SENSITIVE = frozenset({analysis_pb2.SENSITIVITY_REVIEW, analysis_pb2.SENSITIVITY_EXCLUDED})
"""What may be intimate counts as if it were: suggestions come unasked."""
_GONE = frozenset({"MEDIA_NOT_FOUND", "PREVIEW_NOT_READY", "MEDIA_PARKED"})


class _PageGone(Exception):
    """The photo that names the next page is gone."""


class AnalysisClient:
    """Implements `Analysis` over an mTLS channel to the analysis service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._library = library_service_pb2_grpc.LibraryServiceStub(channel)
        self._analyses = analysis_service_pb2_grpc.AnalysisServiceStub(channel)

    async def photos(self, subject: str) -> list[AnalyzedPhoto]:
        """Return every photo that is analyzed (`Analysis.photos`)."""
        for _ in range(LISTINGS):
            try:
                return [photo async for photo in self._listed(subject)]
            except _PageGone:
                continue
        raise DependencyUnavailable("photos are being erased: call again", metadata={"dependency": "analysis"})

    async def picture(self, subject: str, media: str) -> bytes | None:
        """Return a reduced upright JPEG (`Analysis.picture`)."""
        request = analysis_service_pb2.ReadPreviewRequest(media=media, size=analysis_service_pb2.PREVIEW_SIZE_SCREEN)
        try:
            replies = self._analyses.ReadPreview(request, metadata=acting_for(subject), timeout=CALL_SECONDS)
            return b"".join([reply.chunk async for reply in replies])
        except grpc.aio.AioRpcError as error:
            if read_error(error).reason in _GONE:
                return None
            raise as_domain_error(error) from error

    async def _listed(self, subject: str) -> AsyncIterator[AnalyzedPhoto]:
        token = ""
        while True:
            page = await self._page(subject, token)
            for entry in page.entries:
                if entry.analysis.HasField("findings"):
                    yield analyzed_photo(entry)
            token = page.next_page_token
            if not token:
                return

    async def _page(self, subject: str, token: str) -> library_service_pb2.ListLibraryResponse:
        request = library_service_pb2.ListLibraryRequest(page_size=PAGE_SIZE, page_token=token)
        try:
            return await self._library.ListLibrary(request, metadata=acting_for(subject), timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            said = read_error(error)
            if said.reason == PurposeNotGranted.reason:
                raise PurposeNotGranted(said.message, metadata=said.metadata) from error
            if token and said.reason == FieldInvalid.reason:
                raise _PageGone from error
            raise as_domain_error(error) from error


def analyzed_photo(entry: library_service_pb2.LibraryEntry) -> AnalyzedPhoto:
    """Return a photo from the service's message."""
    found = entry.analysis.findings
    photo = Photo(
        media=entry.analysis.media,
        taken=found.capture_time.ToDatetime(UTC),
        width=max(1, found.width),
        height=max(1, found.height),
        kind=analysis_pb2.MediaKind.Name(found.kind).removeprefix("MEDIA_KIND_"),
        tags={tag.name: tag.score for tag in found.tags},
        faces=tuple(Box(face.box.x, face.box.y, face.box.width, face.box.height) for face in found.faces),
        sharpness=found.sharpness,
        exposure=found.exposure,
        duplicate_group=found.duplicate_group,
        position=Position(found.position.latitude, found.position.longitude) if found.HasField("position") else None,
        embedding=tuple(np.frombuffer(entry.scene_embedding, "<f4").tolist()),
        favorite=found.favorite,
        utc_offset=timedelta(seconds=found.capture_utc_offset.seconds),
        is_sensitive=found.sensitivity in _SENSITIVE,
        is_hidden=found.hidden,
    )
    return AnalyzedPhoto(photo, entry.analysis.delete_time.ToDatetime(UTC))
