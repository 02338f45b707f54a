"""Rows count towards a person's share: in a database of before, and many at the same time."""

import asyncio
from dataclasses import replace

from services.chassis.database import Pool
from services.ingest.__main__ import MIGRATIONS
from services.ingest.domain.quota import Quota, Used
from services.ingest.store.media import MediaStore
from services.ingest.store.sweep import SweepStore
from services.ingest.store.uploads import UploadStore
from tests.contract.ingest.store_suite import ALICE, BOB, NOON, event, media_of, segment, upload

FREE = Quota(10**12)


async def test_all_ways_together_count_as_many_rows_as_there_are(pool: Pool) -> None:
    uploads, sweep = UploadStore(pool), SweepStore(pool)

    async def come_and_go(subject: str, number: int) -> None:
        row = upload(subject, size=1)
        await uploads.complete_at_once(row, media_of(row), segment(), event(), NOON, quota=FREE)
        known = replace(upload(subject, size=1), media_id=row.media_id, data_key_id=None, complete_time=NOON)
        await uploads.add_complete(known, quota=FREE)
        dropped = upload(subject, size=1)
        await uploads.add(dropped, quota=FREE)
        await uploads.cancel(subject, dropped.id, NOON)
        if number % 3 == 0:
            await sweep.delete_complete([row.id, known.id])

    await asyncio.gather(*(come_and_go(subject, number) for number in range(12) for subject in (ALICE, BOB)))
    for subject in (ALICE, BOB):
        assert await MediaStore(pool).used(subject) == Used(12, 12 + 2 * 8)


async def test_two_sweeps_of_the_same_persons_never_wait_for_each_other(pool: Pool) -> None:
    uploads, sweep = UploadStore(pool), SweepStore(pool)
    rows = [upload(f"{number % 20:032x}", size=1, complete_time=NOON, data_key_id=None) for number in range(200)]
    for row in rows:
        await uploads.add_complete(row, quota=FREE)
    ids = [row.id for row in rows]
    await asyncio.gather(sweep.delete_complete(ids[::2]), sweep.delete_complete(ids[::-1][::2]))
    assert [await MediaStore(pool).used(f"{number:032x}") for number in range(20)] == [Used()] * 20


async def test_rows_of_before_are_counted_by_the_migration(pool: Pool) -> None:
    uploads = UploadStore(pool)
    row = upload(size=1)
    await uploads.complete_at_once(row, media_of(row), segment(), event(), NOON, quota=FREE)
    await uploads.add_complete(upload(BOB, size=5, complete_time=NOON, data_key_id=None), quota=FREE)
    up, down = _migration()
    async with pool.connection() as connection:
        await connection.execute(down)
        await connection.execute("DELETE FROM usage WHERE subject = %s", (BOB,))
        await connection.execute(up)
    assert await MediaStore(pool).used(ALICE) == Used(1, 2)
    assert await MediaStore(pool).used(BOB) == Used(0, 1)


async def test_processes_of_the_release_before_still_find_what_they_call(pool: Pool) -> None:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT to_regprocedure('store_at_once(upload, media, text, int8, int8)')")
        assert await cursor.fetchone() != (None,)


def _migration() -> tuple[bytes, bytes]:
    """Return what counts rows from now on, and what undoes it."""
    [path] = MIGRATIONS.glob("*_rows_count.sql")
    up, down = path.read_bytes().split(b"-- migrate:down")
    return up, down
