"""Worker: hears which originals are wanted, and runs the sweep."""

from uuid import UUID

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from pellicule.internal.suggestion.v1 import suggestion_saved_pb2
from services.chassis.bus import Bus
from services.chassis.clock import Clock
from services.chassis.consumer import Consumer, IncomingEvent
from services.chassis.database import Pool
from services.chassis.errors import DomainError
from services.ingest.operations.sweep import Sweep
from services.ingest.ports import MediaTable

CONSUMER = "ingest-saved"
SWEEP_SECONDS = 30.0
RECONCILE_EVERY = 20
"""Sweeps between two looks at the whole bucket."""

_log = structlog.stdlib.get_logger()


class Worker:
    """The loops of the process."""

    def __init__(self, media: MediaTable, sweep: Sweep, clock: Clock) -> None:
        self._media = media
        self._sweep = sweep
        self._clock = clock

    def consumer(self, bus: Bus, pool: Pool) -> Consumer:
        """Return the consumer of suggestions that were saved; it waits for the stream to come into being."""
        return Consumer(
            bus,
            stream="SUGGESTION",
            durable=CONSUMER,
            types=[suggestion_saved_pb2.SuggestionSaved.DESCRIPTOR.full_name],
            handle=self.hear,
            pool=pool,
        )

    async def hear(self, event: IncomingEvent) -> None:
        """Note that the originals of a suggestion's media are wanted."""
        message = suggestion_saved_pb2.SuggestionSaved.FromString(event.body)
        media_ids = [UUID(name.removeprefix("media/")) for name in message.media]
        await self._media.want_originals(CONSUMER, event.id, message.subject, media_ids)

    async def run_sweep(self) -> None:
        """Run the sweep again and again."""
        count = 0
        while True:
            try:
                await self._sweep.expire_uploads()
                await self._sweep.clear_discards()
                if count % RECONCILE_EVERY == 0:
                    await self._sweep.reconcile()
            except (DomainError, psycopg.OperationalError, PoolTimeout) as error:
                _log.warning("sweep_failed", exc_info=error)
            count += 1
            await self._clock.sleep(SWEEP_SECONDS)
