"""Measurement of wrapping data keys anew, in a database of its own: `python -m services.retention.bench URL FOLDER`.

Prints one line of JSON: rounds of keys wrapped anew a second, and of the same rows merely rewritten by the database.
"""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from services.chassis.clock import SystemClock
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.logs import configure_logging
from services.chassis.settings import DatabaseSettings
from services.journal.directory import JournalDirectory
from services.journal.follower import Follower
from services.journal.journal import Journal
from services.retention.__main__ import MIGRATIONS, NAME
from services.retention.declarations.data_map_file import load_data_map
from services.retention.domain.keys import (
    FIRST_ID,
    KEY_SIZE,
    NewKeyRow,
    Purpose,
    PurposeKey,
    WrappedKey,
    new_key,
)
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.journal.writer import JournalWriter
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.operations.watch_revocations import RevocationHub
from services.retention.operations.wrap_data_keys import BATCH, wrap_next_data_keys
from services.retention.store.database import PostgresStore
from services.retention.translation.responses import purge_ordered

PERSONS = 100
KEYS_OF_A_PERSON = 600
ROUNDS = 12
PORTIONS = 8
"""Portions of keys in a round."""
_LIFE = timedelta(days=30)


class SettableClock(SystemClock):
    """A clock that is put forward."""

    ahead = timedelta()

    def now(self) -> datetime:
        """Return the time, put forward."""
        return super().now() + self.ahead


async def measure(url: str, folder: Path) -> None:
    """Fill a database with keys, put the clock forward past the days of their epoch, and wrap them anew."""
    settings, clock = DatabaseSettings(database_url=SecretStr(url)), SettableClock()
    await migrate(settings, MIGRATIONS)
    async with open_pool(settings) as pool:
        dependencies = _dependencies(pool, folder, clock)
        await rotate_epochs(dependencies)
        for _ in range(PERSONS):
            await _add_person(dependencies)
        clock.ahead = timedelta(days=5)
        await rotate_epochs(dependencies)
        await _vacuum(pool)
        await _rate(lambda: wrap_next_data_keys(dependencies))
        rewraps, updates = list[float](), [await _rate(lambda: _rewrite(dependencies))]
        for _ in range(ROUNDS):
            rewraps.append(await _rate(lambda: wrap_next_data_keys(dependencies)))
            updates.append(await _rate(lambda: _rewrite(dependencies)))
    sys.stdout.write(json.dumps({"rewraps": rewraps, "updates": updates}) + "\n")


async def _rate(portion: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    for _ in range(PORTIONS):
        await portion()
    return PORTIONS * BATCH / (time.perf_counter() - began)


async def _rewrite(dependencies: Dependencies) -> None:
    """Give as many rows the name of another epoch and bytes of the same length, as wrapping anew does."""
    async with dependencies.store.transaction() as transaction:
        epoch = dependencies.epoch_keys.newest
        found = await transaction.keys.under_epoch(epoch, after=FIRST_ID, now=dependencies.clock.now(), limit=BATCH)
        keys = [key for group in found.living for key in group.keys]
        await transaction.keys.wrap_anew(
            [replace(key, wrapped=replace(key.wrapped, epoch="elsewhere")) for key in keys]
        )


async def _add_person(dependencies: Dependencies) -> None:
    subject, epoch = secrets.token_hex(16), dependencies.epoch_keys.newest
    end = dependencies.clock.now() + _LIFE
    async with dependencies.store.transaction() as transaction:
        revision = await transaction.purposes.next_revision()
        key = PurposeKey(subject, Purpose.CLOUD_PROCESSING, revision, 1, end, WrappedKey(epoch, b""))
        key = replace(key, wrapped=dependencies.epoch_keys.wrap(new_key(), key.aad))
        await transaction.purposes.put(key)
        wrapper = dependencies.epoch_keys.data_keys(key)
        ids = [uuid4() for _ in range(KEYS_OF_A_PERSON)]
        rows = [NewKeyRow(str(id_), wrapper.wrap(str(id_), new_key(), epoch), end, (id_,)) for id_ in ids]
        await transaction.keys.add(key, "ingest", rows)


async def _vacuum(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.set_autocommit(True)
        await connection.execute("VACUUM ANALYZE data_key")
        await connection.set_autocommit(False)


def _dependencies(pool: Pool, folder: Path, clock: SystemClock) -> Dependencies:
    follower = Follower(Journal(JournalDirectory(folder / "journal")), clock)
    store = PostgresStore(pool, purge_ordered)
    return Dependencies(
        store=store,
        epoch_keys=EpochFiles(folder / "epochs", secrets.token_bytes(KEY_SIZE)),
        revocations=RevocationHub(store.replicas, clock),
        journal=JournalWriter(pool, follower, clock),
        data_map=load_data_map(),
        clock=clock,
        longest_days=_LIFE.days,
    )


if __name__ == "__main__":
    configure_logging(NAME, "ERROR")
    asyncio.run(measure(sys.argv[1], Path(sys.argv[2])))
