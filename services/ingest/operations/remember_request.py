"""Remembering of requests, so that a request_id is one request's."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from services.ingest.errors import QuotaExceeded, RequestIdReused
from services.ingest.operations.dependencies import Dependencies
from services.ingest.ports.outcomes import Remembering


async def remember_request(
    dependencies: Dependencies, *, subject: str, request_id: UUID, method: str, said: Iterable[str]
) -> None:
    """Note what a request said, or find that it is the same as before.

    Args:
        dependencies: The stores.
        subject: The person's pseudonym.
        request_id: The request's.
        method: The RPC, such as "BatchDeleteMedia".
        said: What else the request says; nothing from which something personal could be guessed.

    Raises:
        RequestIdReused: the request_id was used for another request.
        QuotaExceeded: the person's share is used up, and what deletions may go beyond it.
    """
    tag = hashlib.sha256("\0".join((method, *said)).encode()).digest()
    quota, now = dependencies.policy.quota, dependencies.clock.now()
    match await dependencies.requests.remember(subject, request_id, tag, now, quota=quota.with_margin):
        case Remembering.REUSED:
            raise RequestIdReused.of(request_id)
        case Remembering.NO_ROOM:
            raise QuotaExceeded.of(quota.size_bytes)
