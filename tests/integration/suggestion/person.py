"""The suggestion service as a person sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias, TypeVar
from uuid import uuid4

import grpc
import pytest

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2, suggestion_service_pb2_grpc
from services.chassis.error_details import read_error

ResultT = TypeVar("ResultT")
WatchResponse: TypeAlias = suggestion_service_pb2.WatchSuggestionsResponse

PATIENCE_SECONDS = 30.0
"""Longer than anything takes on a busy machine; what does not come by then does not come."""


class Person:
    """Somebody with a token; every method is a call of theirs."""

    def __init__(self, name: str, subject: str, channel: grpc.aio.Channel, headers: grpc.aio.Metadata) -> None:
        self.name = name
        self.subject = subject
        self.stub = suggestion_service_pb2_grpc.SuggestionServiceStub(channel)
        self.headers = headers

    async def refresh(self) -> int:
        request = suggestion_service_pb2.RefreshSuggestionsRequest()
        return (await self.stub.RefreshSuggestions(request, metadata=self.headers)).created_count

    async def list(
        self,
        *,
        page_size: int = 0,
        page_token: str = "",
        language: str = "",
        wanted: suggestion_pb2.SuggestionFilter | None = None,
        order_by: str = "",
    ) -> suggestion_service_pb2.ListSuggestionsResponse:
        request = suggestion_service_pb2.ListSuggestionsRequest(
            page_size=page_size, page_token=page_token, language_code=language, filter=wanted, order_by=order_by
        )
        return await self.stub.ListSuggestions(request, metadata=self.headers)

    async def offered(self) -> Sequence[suggestion_pb2.Suggestion]:
        return (await self.list()).suggestions

    async def get(self, name: str, language: str = "") -> suggestion_pb2.Suggestion:
        request = suggestion_service_pb2.GetSuggestionRequest(name=name, language_code=language)
        return (await self.stub.GetSuggestion(request, metadata=self.headers)).suggestion

    async def stream(self, rendition: str, offset: int = 0) -> Sequence[suggestion_service_pb2.ReadRenditionResponse]:
        """Return the messages of a rendition."""
        request = suggestion_service_pb2.ReadRenditionRequest(name=rendition, offset=offset)
        return [reply async for reply in self.stub.ReadRendition(request, metadata=self.headers)]

    async def read(self, rendition: str, offset: int = 0) -> Sequence[bytes]:
        """Return the chunks of a rendition, whose header came first."""
        header, *chunks = await self.stream(rendition, offset)
        assert header.WhichOneof("content") == "header"
        return [reply.chunk for reply in chunks]

    async def save(self, name: str, request_id: str | None = None) -> suggestion_pb2.Suggestion:
        request = suggestion_service_pb2.SaveSuggestionRequest(request_id=request_id or str(uuid4()), name=name)
        return (await self.stub.SaveSuggestion(request, metadata=self.headers)).suggestion

    async def dismiss(self, name: str, request_id: str | None = None) -> suggestion_pb2.Suggestion:
        request = suggestion_service_pb2.DismissSuggestionRequest(request_id=request_id or str(uuid4()), name=name)
        return (await self.stub.DismissSuggestion(request, metadata=self.headers)).suggestion

    async def restore(self, name: str, request_id: str | None = None) -> suggestion_pb2.Suggestion:
        request = suggestion_service_pb2.RestoreSuggestionRequest(request_id=request_id or str(uuid4()), name=name)
        return (await self.stub.RestoreSuggestion(request, metadata=self.headers)).suggestion

    async def acknowledge(self, device: str, cursor: str) -> None:
        request = suggestion_service_pb2.AcknowledgeSuggestionChangesRequest(device=device, cursor=cursor)
        await self.stub.AcknowledgeSuggestionChanges(request, metadata=self.headers)

    async def up_to_now(self, cursor: str = "", device: str = "") -> Sequence[WatchResponse]:
        """Return what the feed tells up to its checkpoint."""
        request = suggestion_service_pb2.WatchSuggestionsRequest(cursor=cursor, device=device, until_checkpoint=True)
        return [reply async for reply in self.stub.WatchSuggestions(request, metadata=self.headers)]

    @asynccontextmanager
    async def watching(self, language: str = "", cursor: str = "") -> AsyncIterator["Watch"]:
        request = suggestion_service_pb2.WatchSuggestionsRequest(language_code=language, cursor=cursor)
        call = self.stub.WatchSuggestions(request, metadata=self.headers)
        try:
            yield Watch(call)
        finally:
            call.cancel()


class Watch:
    """An open stream of changes."""

    def __init__(
        self, call: "grpc.aio.UnaryStreamCall[suggestion_service_pb2.WatchSuggestionsRequest, WatchResponse]"
    ) -> None:
        self._call = call

    async def next(self) -> WatchResponse:
        async with asyncio.timeout(PATIENCE_SECONDS):
            message = await self._call.read()
        assert isinstance(message, suggestion_service_pb2.WatchSuggestionsResponse)
        return message

    async def checkpoint(self) -> Sequence[WatchResponse]:
        """Return what comes before the checkpoint."""
        told: list[WatchResponse] = []
        while not (message := await self.next()).HasField("checkpoint"):
            told.append(message)
        return told


async def failure(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    """Return the status and the reason with which a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), read_error(caught.value).reason


async def answered(call: Awaitable[ResultT]) -> ResultT | None:
    """Return what a call returns; nothing while the server, or one that it needs, is away."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return None
        raise
