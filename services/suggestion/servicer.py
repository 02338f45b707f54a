"""RPCs: parse, do, render."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2, suggestion_service_pb2_grpc
from services.chassis.principal import current_subject
from services.suggestion import translation
from services.suggestion.domain.suggestions import Decision
from services.suggestion.operations.decide import decide
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.list_suggestions import list_suggestions
from services.suggestion.operations.open_suggestions import open_one
from services.suggestion.operations.read_rendition import open_rendition
from services.suggestion.operations.refresh import refresh
from services.suggestion.operations.watch import acknowledge, watch
from services.suggestion.translation import DecisionRequest

if TYPE_CHECKING:
    from services.chassis.calls import Context


@dataclass(frozen=True)
class SuggestionServicer(suggestion_service_pb2_grpc.SuggestionServiceServicer):
    """Serves `SuggestionService`."""

    dependencies: Dependencies

    async def ListSuggestions(
        self,
        request: suggestion_service_pb2.ListSuggestionsRequest,
        context: Context,
    ) -> suggestion_service_pb2.ListSuggestionsResponse:
        """List a page of suggestions."""
        subject = current_subject()
        query = translation.list_query(request, subject)
        shown, next_page_token = await list_suggestions(
            self.dependencies, subject=subject, wanted=query.wanted, order=query.order, page=query.page
        )
        return suggestion_service_pb2.ListSuggestionsResponse(
            suggestions=[translation.suggestion(each, query.language) for each in shown],
            next_page_token=next_page_token,
        )

    async def GetSuggestion(
        self,
        request: suggestion_service_pb2.GetSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.GetSuggestionResponse:
        """Return one suggestion."""
        suggestion_id, language = translation.get_query(request)
        opened = await open_one(self.dependencies, subject=current_subject(), suggestion_id=suggestion_id)
        return suggestion_service_pb2.GetSuggestionResponse(suggestion=translation.suggestion(opened, language))

    async def ReadRendition(
        self,
        request: suggestion_service_pb2.ReadRenditionRequest,
        context: Context,
    ) -> AsyncIterator[suggestion_service_pb2.ReadRenditionResponse]:
        """Send the bytes of a rendition."""
        suggestion_id, number, offset = translation.rendition_query(request)
        stream = await open_rendition(
            self.dependencies, subject=current_subject(), suggestion_id=suggestion_id, number=number, offset=offset
        )
        async with aclosing(stream.pieces) as pieces:
            yield translation.rendition_header(stream.row, offset)
            async for piece in pieces:
                yield suggestion_service_pb2.ReadRenditionResponse(chunk=piece)

    async def WatchSuggestions(
        self,
        request: suggestion_service_pb2.WatchSuggestionsRequest,
        context: Context,
    ) -> AsyncIterator[suggestion_service_pb2.WatchSuggestionsResponse]:
        """Send the change feed."""
        query = translation.watch_query(request, current_subject())
        feed = watch(
            self.dependencies,
            subject=current_subject(),
            cursor=query.cursor,
            device=query.device,
            until_checkpoint=query.until_checkpoint,
        )
        async with aclosing(feed) as items:
            async for item in items:
                yield translation.told(item, query.language)

    async def AcknowledgeSuggestionChanges(
        self,
        request: suggestion_service_pb2.AcknowledgeSuggestionChangesRequest,
        context: Context,
    ) -> suggestion_service_pb2.AcknowledgeSuggestionChangesResponse:
        """Note how far a device has taken in the feed."""
        device, cursor = translation.acknowledgement(request, current_subject())
        await acknowledge(self.dependencies, subject=current_subject(), device=device, cursor=cursor)
        return suggestion_service_pb2.AcknowledgeSuggestionChangesResponse()

    async def SaveSuggestion(
        self,
        request: suggestion_service_pb2.SaveSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.SaveSuggestionResponse:
        """Keep a suggestion."""
        return suggestion_service_pb2.SaveSuggestionResponse(suggestion=await self._decide(request, Decision.SAVE))

    async def DismissSuggestion(
        self,
        request: suggestion_service_pb2.DismissSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.DismissSuggestionResponse:
        """Put a suggestion away."""
        shown = await self._decide(request, Decision.DISMISS)
        return suggestion_service_pb2.DismissSuggestionResponse(suggestion=shown)

    async def RestoreSuggestion(
        self,
        request: suggestion_service_pb2.RestoreSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.RestoreSuggestionResponse:
        """Take a dismissal back."""
        shown = await self._decide(request, Decision.RESTORE)
        return suggestion_service_pb2.RestoreSuggestionResponse(suggestion=shown)

    async def RefreshSuggestions(
        self,
        request: suggestion_service_pb2.RefreshSuggestionsRequest,
        context: Context,
    ) -> suggestion_service_pb2.RefreshSuggestionsResponse:
        """Make what is missing."""
        created = await refresh(self.dependencies, subject=current_subject())
        return suggestion_service_pb2.RefreshSuggestionsResponse(created_count=created)

    async def _decide(self, request: DecisionRequest, decision: Decision) -> suggestion_pb2.Suggestion:
        suggestion_id, request_id, language = translation.decision_query(request)
        opened = await decide(
            self.dependencies,
            subject=current_subject(),
            suggestion_id=suggestion_id,
            request_id=request_id,
            decision=decision,
            saved_event=translation.saved_event,
        )
        return translation.suggestion(opened, language)
