"""A process that does something under a lease, for tests of what becomes of it.

Started as `python -m tests.integration.chassis.leased NAME`; it writes rows `NAME-1`, `NAME-2`, ... of `effect` for as
long as it has the lease.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import psycopg

from services.chassis.clock import SystemClock
from services.chassis.database import Pool, open_pool
from services.chassis.logs import configure_logging
from services.chassis.settings import DatabaseSettings
from services.chassis.supervision import supervised
from services.chassis.task_leases import LeasedTasks

LEASE = timedelta(seconds=1.5)
_PACE_SECONDS = 0.02
_ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def process(name: str, database: DatabaseSettings) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the process for the time of the block."""
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.integration.chassis.leased", name),
        cwd=_ROOT,
        env={"PELLICULE_DATABASE_URL": database.database_url.get_secret_value()},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def _write(name: str, pool: Pool) -> None:
    for number in count(1):
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO effect (event_id) VALUES (%s)", (f"{name}-{number}",))
        await asyncio.sleep(_PACE_SECONDS)


async def main(name: str) -> None:
    configure_logging("test", "INFO")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_pool(DatabaseSettings()) as pool:
        # Begun again it has another name, so that no number is written twice.
        names = (f"{name}{turn}" for turn in count(1))

        async def write() -> None:
            await _write(next(names), pool)

        leased = LeasedTasks(pool, SystemClock(), {"writing": [write]}, lease=LEASE)
        async with supervised([leased.run]):
            await stop.wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except psycopg.OperationalError:
        sys.exit(1)
