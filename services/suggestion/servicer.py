"""The RPCs: parse, do, render."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import grpc

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2, suggestion_service_pb2_grpc
from services.chassis.principal import current_subject
from services.suggestion import acting, collection, refreshing, translation
from services.suggestion.collection import Opened
from services.suggestion.domain import Act
from services.suggestion.refreshing import Workshop
from services.suggestion.watching import Changes

if TYPE_CHECKING:
    # Invariant in what it reads and writes, and never used here: one alias for all RPCs.
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

CHUNK_SIZE = 1 << 20


@dataclass(frozen=True)
class SuggestionServicer(suggestion_service_pb2_grpc.SuggestionServiceServicer):
    """Serves `SuggestionService`."""

    workshop: Workshop
    changes: Changes

    async def ListSuggestions(
        self,
        request: suggestion_service_pb2.ListSuggestionsRequest,
        context: Context,
    ) -> suggestion_service_pb2.ListSuggestionsResponse:
        """List what is offered, best first."""
        code = translation.language(request.language_code)
        start, size = translation.page(request.page_size, request.page_token)
        offered = await self._offered(current_subject())
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
        """Return one idea."""
        code = translation.language(request.language_code)
        opened = await collection.one(
            subject=current_subject(),
            suggestion_id=translation.suggestion_id(request.name),
            database=self.workshop.database,
            keyring=self.workshop.keyring,
        )
        return suggestion_service_pb2.GetSuggestionResponse(suggestion=translation.suggestion(opened, code))

    async def ReadRendition(
        self,
        request: suggestion_service_pb2.ReadRenditionRequest,
        context: Context,
    ) -> AsyncIterator[suggestion_service_pb2.ReadRenditionResponse]:
        """Send a picture."""
        suggestion_id, number = translation.rendition_id(request.name)
        pieces = acting.read_rendition(
            subject=current_subject(),
            suggestion_id=suggestion_id,
            number=number,
            database=self.workshop.database,
            keyring=self.workshop.keyring,
            objects=self.workshop.objects,
            bucket=self.workshop.bucket,
            clock=self.workshop.clock,
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
        subject, code = current_subject(), translation.language(request.language_code)
        sent: dict[str, suggestion_pb2.Suggestion] = {}
        with self.changes.watching(subject) as changed:
            while True:
                changed.clear()
                offered = [translation.suggestion(each, code) for each in await self._offered(subject)]
                now = {each.name: each for each in offered}
                for name in sent.keys() - now.keys():
                    yield suggestion_service_pb2.WatchSuggestionsResponse(removed_suggestion=name)
                for name, message in now.items():
                    if sent.get(name) != message:
                        yield suggestion_service_pb2.WatchSuggestionsResponse(suggestion=message)
                sent = now
                await changed.wait()

    async def SaveSuggestion(
        self,
        request: suggestion_service_pb2.SaveSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.SaveSuggestionResponse:
        """Keep an idea."""
        opened = await self._act(request.name, request.request_id, Act.SAVE)
        return suggestion_service_pb2.SaveSuggestionResponse(suggestion=translation.suggestion(opened, "en"))

    async def DismissSuggestion(
        self,
        request: suggestion_service_pb2.DismissSuggestionRequest,
        context: Context,
    ) -> suggestion_service_pb2.DismissSuggestionResponse:
        """Put an idea away."""
        opened = await self._act(request.name, request.request_id, Act.DISMISS)
        return suggestion_service_pb2.DismissSuggestionResponse(suggestion=translation.suggestion(opened, "en"))

    async def RefreshSuggestions(
        self,
        request: suggestion_service_pb2.RefreshSuggestionsRequest,
        context: Context,
    ) -> suggestion_service_pb2.RefreshSuggestionsResponse:
        """Make what is missing."""
        created = await refreshing.refresh(self.workshop, subject=current_subject())
        return suggestion_service_pb2.RefreshSuggestionsResponse(created_count=created)

    async def _offered(self, subject: str) -> list[Opened]:
        opened = await collection.everything(
            subject=subject, database=self.workshop.database, keyring=self.workshop.keyring
        )
        return collection.offered(opened)

    async def _act(self, name: str, request_id: str, what: Act) -> Opened:
        suggestion_id: UUID = translation.suggestion_id(name)
        return await acting.act(
            subject=current_subject(),
            suggestion_id=suggestion_id,
            request_id=translation.request_id(request_id),
            what=what,
            database=self.workshop.database,
            keyring=self.workshop.keyring,
            clock=self.workshop.clock,
            saved_event=translation.saved_event,
        )
