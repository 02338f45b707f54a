import os
from dataclasses import replace

import psycopg
import pytest

from services.chassis.database import Pool
from services.consent.errors import RecordKeyInvalid
from services.consent.notices.notice_files import reopen_notice
from services.consent.store.consents import PostgresConsentStore
from services.consent.store.notices import PostgresNoticeStore
from services.consent.store.record_keys import RecordKeys
from tests.contract.consent.store_suite import (
    LIMIT,
    NOW,
    RELEASED,
    SECOND,
    Stores,
    StoreSuite,
    change,
    given,
    request,
    serving,
)

ADA = "a" * 32


@pytest.fixture
def stores(pool: Pool) -> Stores:
    keys = RecordKeys(os.urandom(32))
    return Stores(PostgresConsentStore(pool, keys), PostgresNoticeStore(pool, keys, reopen_notice))


class TestPostgresStore(StoreSuite):
    pass


async def _write(stores: Stores) -> None:
    await stores.notices.publish([RELEASED()], now=NOW)
    shown = replace(serving(), language_code="fr", build="secret-build")
    await stores.notices.record_serving(ADA, shown, request(), limit=LIMIT)
    async with stores.consents.locked(ADA) as ledger:
        made = change(given(1, asked=(asked := request())), asked=asked)
        await ledger.begin(made)
        await ledger.finish(made)
        await ledger.begin(change(given(2)))


async def _everything(pool: Pool, *tables: str) -> bytes:
    async with pool.connection() as connection:
        parts = []
        for table in tables:
            cursor = await connection.execute(f"SELECT t::text FROM {table} AS t")
            parts += [str(row[0]).encode() for row in await cursor.fetchall()]
    return b"\n".join(parts)


async def test_another_key_than_the_one_that_wrapped_the_records_is_refused_at_start(
    stores: Stores, pool: Pool
) -> None:
    await PostgresConsentStore(pool, RecordKeys(os.urandom(32))).check_key()
    await _write(stores)

    with pytest.raises(RecordKeyInvalid, match="put the file back"):
        await PostgresConsentStore(pool, RecordKeys(os.urandom(32))).check_key()


_PERSONAL = ("person", "notice_serving", "consent_event", "request", "pending_change", "outbox")


async def test_where_a_person_is_and_how_old_they_are_is_in_no_column(stores: Stores, pool: Pool) -> None:
    await _write(stores)

    written = await _everything(pool, *_PERSONAL)

    # bytea is shown in hex, so both spellings are looked for.
    for secret in (b"US-CA", b"ADULT", b"SELF_DECLARED", b"secret-build"):
        assert secret not in written
        assert secret.hex().encode() not in written


async def test_after_an_erasure_no_row_names_the_person(stores: Stores, pool: Pool) -> None:
    await _write(stores)
    async with stores.consents.locked(ADA) as ledger:
        deleted = await ledger.purge(NOW + SECOND)

    assert ADA.encode() not in await _everything(pool, *_PERSONAL)
    assert deleted == {
        "consent.table.outbox": 1,
        "consent.table.pending_change": 1,
        "consent.table.request": 1,
        "consent.table.consent_event": 1,
        "consent.table.notice_serving": 1,
        "consent.table.person": 1,
    }


async def test_after_an_erasure_an_old_copy_of_the_rows_cannot_be_opened(stores: Stores, pool: Pool) -> None:
    await _write(stores)
    async with pool.connection() as connection:
        await connection.execute("CREATE TEMP TABLE backup ON COMMIT DROP AS SELECT wrapped_key FROM person")
        before = await (await connection.execute("SELECT wrapped_key FROM backup")).fetchone()
    async with stores.consents.locked(ADA) as ledger:
        await ledger.purge(NOW - SECOND)

    async with pool.connection() as connection:
        after = await (await connection.execute("SELECT wrapped_key FROM person")).fetchone()
    assert before is not None
    assert after is not None
    assert before != after


@pytest.mark.parametrize(
    "statement",
    ["UPDATE consent_event SET type = 'GIVEN'", "UPDATE notice SET edition = '2099-01-01'", "DELETE FROM notice"],
)
async def test_events_and_notices_are_append_only(stores: Stores, pool: Pool, statement: str) -> None:
    await _write(stores)

    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        async with pool.connection() as connection:
            await connection.execute(statement)


async def test_bytes_that_are_not_those_of_the_digest_are_no_notice(stores: Stores, pool: Pool) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        async with pool.connection() as connection:
            await connection.execute(
                "INSERT INTO notice (digest, edition, canonical_json, publish_time)"
                " VALUES (%s, '2099-01-01', 'other words', now())",
                ["0" * 64],
            )
