"""Erasure on request: of one media, or of everything of a person."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID, uuid4

from services.retention.domain.erasure import Erasure
from services.retention.domain.keys import media_name
from services.retention.domain.orders import PurgeCause, erasure_orders, key_orders
from services.retention.domain.revocation import key_revocations
from services.retention.errors import ErasureNotFound, MediaNotFound
from services.retention.operations.answered_requests import first_answer, remember
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destroy_person import destroy_person
from services.retention.operations.destruction import destroying
from services.retention.ports import Transaction

_EVERYTHING = "everything"


async def erase_media(subject: str, media: UUID, request_id: UUID, dependencies: Dependencies) -> Erasure:
    """Destroy every key that derives from a media, and order what they sealed to be deleted.

    Repeating it returns the first erasure, and so does asking again for a media that is erased already.

    Raises:
        MediaNotFound: nothing of the person's is kept for it.
        RequestIdReused: the request id belongs to another request.
    """

    async def erase(transaction: Transaction, now: datetime) -> Erasure:
        earlier = await transaction.erasures.of_media(subject, media)
        return earlier or await _erase_media(transaction, _begun(subject, media, now), media, dependencies)

    return await _once(subject, request_id, media_name(media), erase, dependencies)


async def erase_everything(subject: str, request_id: UUID, dependencies: Dependencies) -> Erasure:
    """Destroy every purpose key of a person, and order every service to delete what it has of them.

    Repeating it returns the first erasure. It succeeds for a person of whom nothing is kept as well.

    Raises:
        RequestIdReused: the request id belongs to another request.
    """

    async def erase(transaction: Transaction, now: datetime) -> Erasure:
        return await _erase_everything(transaction, _begun(subject, None, now), dependencies)

    return await _once(subject, request_id, _EVERYTHING, erase, dependencies)


async def _once(
    subject: str,
    request_id: UUID,
    asked: str,
    erase: Callable[[Transaction, datetime], Awaitable[Erasure]],
    dependencies: Dependencies,
) -> Erasure:
    """Erase, or return what the request was answered with when it came first."""
    now = dependencies.clock.now()
    async with destroying(dependencies) as transaction:
        await transaction.lock_subject(subject)
        answer = await first_answer(transaction, subject, request_id, asked)
        if answer is not None:
            return await _answered(transaction, subject, answer)
        erasure = await erase(transaction, now)
        await remember(transaction, subject, request_id, asked, erasure.id, now)
    return erasure


async def _answered(transaction: Transaction, subject: str, erasure: UUID) -> Erasure:
    found = await transaction.erasures.get(subject, erasure)
    if found is None:
        raise ErasureNotFound.of(erasure)
    return found


def _begun(subject: str, media: UUID | None, now: datetime) -> Erasure:
    return Erasure(uuid4(), subject, media, request_time=now, keys_destroy_time=now)


async def _erase_media(transaction: Transaction, erasure: Erasure, media: UUID, dependencies: Dependencies) -> Erasure:
    subject, now = erasure.subject, erasure.request_time
    await transaction.purposes.hold_all(subject)
    destroyed = await transaction.keys.destroy_derived(subject, [media])
    if not destroyed:
        raise MediaNotFound.of(media)
    await transaction.keys.end(subject, [media], now)
    await transaction.erasures.add(erasure)
    services = dependencies.data_map.media_services
    await transaction.orders.add(key_orders(destroyed, services, PurgeCause.ERASURE, now, erasure.id))
    await transaction.revoke(key_revocations(destroyed))
    return erasure


async def _erase_everything(transaction: Transaction, erasure: Erasure, dependencies: Dependencies) -> Erasure:
    subject, now = erasure.subject, erasure.request_time
    scope = await destroy_person(transaction, subject, now, account=False)
    await transaction.erasures.add(erasure)
    services = dependencies.data_map.personal_services
    await transaction.orders.add(erasure_orders(subject, scope, services, now, erasure.id))
    return erasure
