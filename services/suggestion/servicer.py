"""The RPCs: parse, do, render."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2, suggestion_service_pb2_grpc
from services.chassis.principal import current_subject
from services.suggestion import translation
from services.suggestion.domain.suggestions import Decision
from services.suggestion.operations.decide import decide
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.open_suggestions import OpenSuggestion, open_offered, open_one
from services.suggestion.operations.read_rendition import read_rendition
from services.suggestion.operations.refresh import refresh
from services.suggestion.operations.watch import watch

if TYPE_CHECKING:
    # Invariant in what it reads and writes, and never used here: one alias for all RPCs.
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

CHUNK_SIZE = 1 << 20


@dataclass(frozen=True)
class SuggestionServicer(suggestion_service_pb2_grpc.SuggestionServiceServicer):
    """Serves `SuggestionService`."""

    dependencies: Dependencies

    async def ListSuggestions(
        self,
        request: suggestion_service_pb2.ListSuggestionsRequest,
        context: Context,
    ) -> suggestion_service_pb2.ListSuggestionsResponse:
        """List what is offered, best first."""
        code = translation.language(request.language_code)
        start, size = translation.page(request.page_size, request.page_token)
        offered = await open_offered(self.dependencies, subject=current_subject())
        shown = offered[start : start + size]
        return suggestion_service_pb2.ListSuggestionsResponse(
            suggestions=[translation.suggestion(each, code) for each in shown],
            next_page_token=str(start + size) if start + size < len(offered) else "",
        )

    async def GetSuggestion(
        self,
        request: suggestion_service_pb2.GetSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.GetSuggestionResponse:
        """Return one suggestion."""
        code = translation.language(request.language_code)
        suggestion_id = translation.suggestion_id(request.name)
        opened = await open_one(self.dependencies, subject=current_subject(), suggestion_id=suggestion_id)
        return suggestion_service_pb2.GetSuggestionResponse(suggestion=translation.suggestion(opened, code))

    async def ReadRendition(
        self,
        request: suggestion_service_pb2.ReadRenditionRequest,
        context: Context,
    ) -> AsyncIterator[suggestion_service_pb2.ReadRenditionResponse]:
        """Send the bytes of a rendition."""
        suggestion_id, number = translation.rendition_id(request.name)
        pieces = read_rendition(
            self.dependencies, subject=current_subject(), suggestion_id=suggestion_id, number=number
        )
        async for piece in pieces:
            for start in range(0, len(piece), CHUNK_SIZE):
                yield suggestion_service_pb2.ReadRenditionResponse(chunk=piece[start : start + CHUNK_SIZE])

    async def WatchSuggestions(
        self,
        request: suggestion_service_pb2.WatchSuggestionsRequest,
        context: Context,
    ) -> AsyncIterator[suggestion_service_pb2.WatchSuggestionsResponse]:
        """Send what is offered, then every change."""
        code = translation.language(request.language_code)
        sent: dict[str, suggestion_pb2.Suggestion] = {}
        async with aclosing(watch(self.dependencies, subject=current_subject())) as offers:
            async for offered in offers:
                now = {each.name: each for each in (translation.suggestion(opened, code) for opened in offered)}
                for name in sent.keys() - now.keys():
                    yield suggestion_service_pb2.WatchSuggestionsResponse(removed_suggestion=name)
                for name, message in now.items():
                    if sent.get(name) != message:
                        yield suggestion_service_pb2.WatchSuggestionsResponse(suggestion=message)
                sent = now

    async def SaveSuggestion(
        self,
        request: suggestion_service_pb2.SaveSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.SaveSuggestionResponse:
        """Keep a suggestion."""
        opened = await self._decide(request.name, request.request_id, Decision.SAVE)
        return suggestion_service_pb2.SaveSuggestionResponse(suggestion=translation.suggestion(opened, "en"))

    async def DismissSuggestion(
        self,
        request: suggestion_service_pb2.DismissSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.DismissSuggestionResponse:
        """Put a suggestion away."""
        opened = await self._decide(request.name, request.request_id, Decision.DISMISS)
        return suggestion_service_pb2.DismissSuggestionResponse(suggestion=translation.suggestion(opened, "en"))

    async def RefreshSuggestions(
        self,
        request: suggestion_service_pb2.RefreshSuggestionsRequest,
        context: Context,
    ) -> suggestion_service_pb2.RefreshSuggestionsResponse:
        """Make what is missing."""
        created = await refresh(self.dependencies, subject=current_subject())
        return suggestion_service_pb2.RefreshSuggestionsResponse(created_count=created)

    async def _decide(self, name: str, request_id: str, decision: Decision) -> OpenSuggestion:
        return await decide(
            self.dependencies,
            subject=current_subject(),
            suggestion_id=translation.suggestion_id(name),
            request_id=translation.request_id(request_id),
            decision=decision,
            saved_event=translation.saved_event,
        )
