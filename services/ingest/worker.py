"""Worker: hears which originals are wanted, and runs the sweep and the inspection."""

from uuid import UUID

from pellicule.internal.suggestion.v1 import suggestion_saved_pb2
from services.chassis.clock import Clock
from services.chassis.database import Pool
from services.chassis.loops import Step, Wall, repeat_all
from services.chassis.messaging.bus import Bus
from services.chassis.messaging.consumer import Consumer, IncomingEvent
from services.chassis.orphans import OrphanSweep
from services.ingest.operations.inspection import Inspection
from services.ingest.operations.sweep import Sweep
from services.ingest.ports import MediaTable

CONSUMER = "ingest-saved"
SWEEP_SECONDS = 30.0
FIRST_INSPECTION_SECONDS, INSPECTION_SECONDS = 0.2, 30.0
"""Between two pages: at first without delay, since the process may have started after a power cut."""


class Worker:
    """The loops of the process."""

    def __init__(self, media: MediaTable, sweep: Sweep, orphans: OrphanSweep, clock: Clock) -> None:
        self._media = media
        self._steps: dict[str, Step] = {
            "expired_uploads": sweep.expire_uploads,
            "discards": sweep.clear_discards,
            "forgetting": sweep.forget,
            "orphans": orphans.run,
        }
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
        """Run the steps of the sweep again and again, none of which waits for another."""
        await repeat_all(self._steps, SWEEP_SECONDS, self._clock)


async def run_inspection(inspection: Inspection, clock: Clock) -> None:
    """Look at everything that is kept once, and then again and again with pauses."""
    wall, pause = Wall("inspection", clock), FIRST_INSPECTION_SECONDS

    async def step() -> None:
        nonlocal pause
        if await inspection.step():
            pause = INSPECTION_SECONDS

    while True:
        await wall.attempt(step)
        await wall.rest(pause)
