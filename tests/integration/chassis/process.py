"""A service process as `__main__` of a service composes it, for tests of its start and stop.

Started as `python -m tests.integration.chassis.process MODE`; its settings come from the environment.
"""

import asyncio
import sys
from pathlib import Path

from services.chassis.clock import SystemClock
from services.chassis.logs import configure_logging
from services.chassis.server import serve
from services.chassis.settings import ServiceSettings
from services.chassis.tasks import Tasks
from tests.integration.chassis import echo


async def _idle() -> None:
    await asyncio.Event().wait()


async def _brief() -> None:
    await asyncio.sleep(0)


async def _failing() -> None:
    """Fail once, and make the process ready when begun again."""
    _begun.append(len(_begun))
    if len(_begun) == 1:
        raise RuntimeError("the secret of the worker")
    await asyncio.to_thread(Path(sys.argv[2]).touch)


_begun = list[int]()
_TASKS = {"idle": [_idle], "brief": [_brief], "failing": [_idle, _failing]}


async def main(mode: str, ready_file: Path) -> None:
    settings = ServiceSettings()
    configure_logging("test", settings.log_level)

    async def ready() -> bool:
        return await asyncio.to_thread(ready_file.exists)

    await serve(
        name="test",
        settings=settings,
        register=echo.Echo().register,
        service_names=[echo.SERVICE],
        access=echo.ACCESS,
        clock=SystemClock(),
        tasks=Tasks(always=_TASKS[mode]),
        ready=ready,
    )


if __name__ == "__main__":
    echo.describe()
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
