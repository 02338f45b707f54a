"""RPCs that persons call: parse, do, render."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from pellicule.analysis.v1 import analysis_service_pb2, analysis_service_pb2_grpc
from services.analysis.domain.media import MediaState
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.get_analysis import get_analysis
from services.analysis.operations.list_analyses import list_analyses
from services.analysis.operations.read_preview import read_preview, read_previews
from services.analysis.operations.search import search
from services.analysis.operations.watch_analyses import watch_analyses
from services.analysis.translation import analyses, requests, streams
from services.chassis.calls import Context
from services.chassis.changes.feed import ChangeFeed
from services.chassis.principal import current_subject


@dataclass(frozen=True)
class AnalysisServicer(analysis_service_pb2_grpc.AnalysisServiceServicer):
    """Serves `AnalysisService`.

    Attributes:
        dependencies: What its use cases work with.
        feed: Names the analyses that changed.
        domain: Of errors that stand in answers.
    """

    dependencies: Dependencies
    feed: ChangeFeed
    domain: str

    async def GetAnalysis(
        self, request: analysis_service_pb2.GetAnalysisRequest, context: Context
    ) -> analysis_service_pb2.GetAnalysisResponse:
        """Return the analysis of one media."""
        media, language = requests.analysis_request(request)
        known = await get_analysis(current_subject(), media, self.dependencies)
        return analysis_service_pb2.GetAnalysisResponse(analysis=analyses.analysis(known, language))

    async def ListAnalyses(
        self, request: analysis_service_pb2.ListAnalysesRequest, context: Context
    ) -> analysis_service_pb2.ListAnalysesResponse:
        """List the analyses of the person's media."""
        asked = requests.list_request(request, current_subject())
        everything = await list_analyses(
            current_subject(), self.dependencies, asked.wanted, newest_first=asked.newest_first
        )
        return analyses.analyses_page(asked, everything)

    async def GetProgress(
        self, request: analysis_service_pb2.GetProgressRequest, context: Context
    ) -> analysis_service_pb2.GetProgressResponse:
        """Count what is waiting, done and parked."""
        library = self.dependencies.library
        counts = await library.progress(current_subject())
        return analysis_service_pb2.GetProgressResponse(
            pending_count=counts.get(MediaState.PENDING, 0),
            done_count=counts.get(MediaState.DONE, 0),
            parked_count=counts.get(MediaState.PARKED, 0),
            at_work=await library.at_work(self.dependencies.clock.now()),
        )

    async def SearchMedia(
        self, request: analysis_service_pb2.SearchMediaRequest, context: Context
    ) -> analysis_service_pb2.SearchMediaResponse:
        """Find the person's pictures that words describe."""
        page = requests.search_request(request, current_subject())
        found = await search(current_subject(), request.query, self.dependencies)
        return analyses.matches_page(page, found)

    async def ReadPreview(
        self, request: analysis_service_pb2.ReadPreviewRequest, context: Context
    ) -> AsyncIterator[analysis_service_pb2.ReadPreviewResponse]:
        """Send a preview of a media from an offset on."""
        asked = requests.preview_request(request)
        content = await read_preview(current_subject(), asked.media, asked.size, self.dependencies)
        for message in streams.preview_stream(content, asked.offset):
            yield message

    async def BatchReadPreviews(
        self, request: analysis_service_pb2.BatchReadPreviewsRequest, context: Context
    ) -> AsyncIterator[analysis_service_pb2.BatchReadPreviewsResponse]:
        """Send the previews of many media in one stream."""
        media, size = requests.previews_request(request)
        async for preview in read_previews(current_subject(), media, size, self.dependencies):
            for message in streams.batch_stream(preview, self.domain):
                yield message

    async def WatchAnalyses(
        self, request: analysis_service_pb2.WatchAnalysesRequest, context: Context
    ) -> AsyncIterator[analysis_service_pb2.WatchAnalysesResponse]:
        """Send what changes among the person's analyses."""
        device, language = requests.watch_request(request, current_subject())
        told = watch_analyses(
            current_subject(),
            self.dependencies,
            self.feed,
            cursor=request.cursor,
            device=device,
            until_checkpoint=request.until_checkpoint,
        )
        async with aclosing(told):
            async for item in told:
                yield streams.change(item, language)

    async def AcknowledgeAnalysisChanges(
        self, request: analysis_service_pb2.AcknowledgeAnalysisChangesRequest, context: Context
    ) -> analysis_service_pb2.AcknowledgeAnalysisChangesResponse:
        """Note how far a device has taken in the changes."""
        device, cursor = requests.acknowledgement(request, current_subject())
        await self.feed.acknowledge(current_subject(), device, cursor)
        return analysis_service_pb2.AcknowledgeAnalysisChangesResponse()
