"""Commands about one idea: put it away, take that back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from uuid import uuid4

from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from services.cli.client import SHORT_CALL_SECONDS, Services

Act: TypeAlias = Callable[[Services, str, str], Awaitable[suggestion_pb2.Suggestion]]


async def dismiss(services: Services, name: str, language: str) -> suggestion_pb2.Suggestion:
    """Put an idea away and return it."""
    request = suggestion_service_pb2.DismissSuggestionRequest(
        request_id=str(uuid4()), name=name, language_code=language
    )
    reply = await services.suggestion.DismissSuggestion(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return reply.suggestion


async def restore(services: Services, name: str, language: str) -> suggestion_pb2.Suggestion:
    """Take the dismissal of an idea back and return it."""
    request = suggestion_service_pb2.RestoreSuggestionRequest(
        request_id=str(uuid4()), name=name, language_code=language
    )
    reply = await services.suggestion.RestoreSuggestion(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return reply.suggestion
