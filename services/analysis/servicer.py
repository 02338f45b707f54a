"""The RPCs: parse, do, render."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from pellicule.analysis.v1 import analysis_service_pb2, analysis_service_pb2_grpc
from services.analysis import translation
from services.analysis.domain.media import MediaState
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.get_analysis import get_analysis
from services.analysis.operations.list_analyses import list_analyses
from services.analysis.operations.read_preview import read_preview
from services.analysis.operations.search import search
from services.chassis.principal import current_principal, current_subject

if TYPE_CHECKING:
    # Invariant in what it reads and writes, and never used here: one alias for all RPCs.
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class AnalysisServicer(analysis_service_pb2_grpc.AnalysisServiceServicer):
    """Serves `AnalysisService`."""

    dependencies: Dependencies

    async def GetAnalysis(
        self, request: analysis_service_pb2.GetAnalysisRequest, context: "Context"
    ) -> analysis_service_pb2.GetAnalysisResponse:
        """Returns the analysis of one media."""
        media = translation.media_id(request.media)
        full = translation.wants_everything(request.view, current_principal())
        known = await get_analysis(current_subject(), media, self.dependencies)
        return analysis_service_pb2.GetAnalysisResponse(analysis=translation.analysis(known, full=full))

    async def ListAnalyses(
        self, request: analysis_service_pb2.ListAnalysesRequest, context: "Context"
    ) -> analysis_service_pb2.ListAnalysesResponse:
        """Lists the analyses of every media of the person."""
        full = translation.wants_everything(request.view, current_principal())
        everything = await list_analyses(current_subject(), self.dependencies)
        return translation.page(request, everything, full=full)

    async def GetProgress(
        self, request: analysis_service_pb2.GetProgressRequest, context: "Context"
    ) -> analysis_service_pb2.GetProgressResponse:
        """Counts what is waiting, done and parked."""
        counts = await self.dependencies.library.progress(current_subject())
        return analysis_service_pb2.GetProgressResponse(
            pending_count=counts.get(MediaState.PENDING, 0),
            done_count=counts.get(MediaState.DONE, 0),
            parked_count=counts.get(MediaState.PARKED, 0),
        )

    async def SearchMedia(
        self, request: analysis_service_pb2.SearchMediaRequest, context: "Context"
    ) -> analysis_service_pb2.SearchMediaResponse:
        """Finds the person's pictures that words describe."""
        query = translation.query(request)
        found = await search(current_subject(), query, self.dependencies)
        return translation.search_page(request, found)

    async def ReadPreview(
        self, request: analysis_service_pb2.ReadPreviewRequest, context: "Context"
    ) -> AsyncIterator[analysis_service_pb2.ReadPreviewResponse]:
        """Sends a reduced, upright JPEG of a media."""
        data = await read_preview(
            current_subject(),
            translation.media_id(request.media),
            translation.preview_size(request.size),
            self.dependencies,
        )
        for start in range(0, len(data), CHUNK_BYTES):
            yield analysis_service_pb2.ReadPreviewResponse(chunk=data[start : start + CHUNK_BYTES])
