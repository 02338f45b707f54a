"""What goes on by itself: wishes for originals heard, and the sweep."""

from uuid import UUID

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from pellicule.suggestion.v1 import suggestion_pb2
from services.chassis.bus import Bus
from services.chassis.clock import Clock
from services.chassis.consumer import Consumer, IncomingEvent
from services.chassis.database import Pool
from services.chassis.errors import DomainError
from services.ingest.housekeeping import Housekeeping
from services.ingest.media_store import MediaStore

CONSUMER = "ingest-saved"
SWEEP_SECONDS = 30.0
RECONCILE_EVERY = 20
"""Sweeps between two looks at the whole bucket."""

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops of the process."""

    def __init__(self, media: MediaStore, housekeeping: Housekeeping, clock: Clock) -> None:
        self._media = media
        self._housekeeping = housekeeping
        self._clock = clock

    def consumer(self, bus: Bus, pool: Pool) -> Consumer:
        """Returns the consumer that hears of ideas that were saved; it waits for the stream to come into being."""
        return Consumer(
            bus,
            stream="SUGGESTION",
            durable=CONSUMER,
            types=[suggestion_pb2.SuggestionSaved.DESCRIPTOR.full_name],
            handle=self.hear,
            pool=pool,
        )

    async def hear(self, event: IncomingEvent) -> None:
        """Notes that the originals of an idea's media are wanted."""
        message = suggestion_pb2.SuggestionSaved.FromString(event.body)
        media_ids = [UUID(name.removeprefix("media/")) for name in message.media]
        await self._media.want_originals(CONSUMER, event.id, message.subject, media_ids)

    async def sweep(self) -> None:
        """Clears up, for ever."""
        count = 0
        while True:
            try:
                await self._housekeeping.expire_uploads()
                await self._housekeeping.clear_discards()
                if count % RECONCILE_EVERY == 0:
                    await self._housekeeping.reconcile()
            except (DomainError, psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("sweep_failed", exc_info=error)
            count += 1
            await self._clock.sleep(SWEEP_SECONDS)
