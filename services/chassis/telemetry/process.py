"""Looks at the process itself: what it takes of the machine, and whether its event loop keeps up."""

import os
import resource
from collections.abc import Iterable
from pathlib import Path

from services.chassis.clock import Clock
from services.chassis.gauges import Reading
from services.chassis.metrics import CPU_TIME, EVENT_LOOP_DELAY, MEMORY, Measurements

_MEMORY = Path("/proc/self/statm")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_LOOK_SECONDS = 1.0


class ProcessGauges:
    """Look at memory and at the processor's time; without its children, such as decoders."""

    def __init__(self) -> None:
        self._known = (0.0, 0.0)

    async def __call__(self) -> Iterable[Reading]:
        """Return the memory that is resident, and the time that was used since the last look."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        before, self._known = self._known, (usage.ru_utime, usage.ru_stime)
        return [
            Reading(MEMORY, _resident_bytes()),
            *(
                Reading(CPU_TIME, now - then, {"cpu.mode": mode})
                for mode, now, then in zip(("user", "system"), self._known, before, strict=True)
            ),
        ]


def _resident_bytes() -> int:
    return int(_MEMORY.read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


class LoopDelay:
    """Measurement of the event loop: what is due late says that something holds it up. `run` is a task."""

    def __init__(self, measurements: Measurements, clock: Clock) -> None:
        self._measurements = measurements
        self._clock = clock

    async def run(self) -> None:
        """Sleep and look by how much it was too long, for as long as it runs."""
        while True:
            began = self._clock.monotonic()
            await self._clock.sleep(_LOOK_SECONDS)
            late = self._clock.monotonic() - began - _LOOK_SECONDS
            self._measurements.measure(EVENT_LOOP_DELAY, max(late, 0.0))
