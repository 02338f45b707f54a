"""No loop reads a table from end to end, nor what counts a person's rows: each statement finds an index."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TypeAlias
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.declarations import SERVICES
from deploy.local.parts.postgres import SUPERUSER, PostgresServer, postgres_server
from services.analysis.domain.model_set import EXTRA_PURPOSES, ModelSet
from services.analysis.store import gauges as analysis_gauges
from services.analysis.store.claimers import Claimer
from services.analysis.store.metadata import MetadataStore
from services.analysis.store.open_work import OpenWork
from services.analysis.store.purge import PurgeStore
from services.analysis.store.work import WorkStore
from services.analysis.translation import events
from services.chassis.changes.store import ChangeSweep
from services.chassis.clock import SystemClock
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.failed_work.dead_letters import DeadLetters
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.gauges import database_gauges, work_gauges
from services.chassis.messaging import inbox, outbox
from services.chassis.messaging.bus import StreamState
from services.chassis.orphans import Page, PostgresWalks
from services.chassis.settings import DatabaseSettings
from services.consent.ports import BEGINNING
from services.consent.store.events import EventRows
from services.consent.store.persons import PersonRows
from services.consent.store.servings import ServingRows
from services.ingest.domain.quota import Quota
from services.ingest.store.devices import DeviceStore
from services.ingest.store.media import MediaStore
from services.ingest.store.missing import MissingStore
from services.ingest.store.requests import RequestStore
from services.ingest.store.sweep import SweepStore
from services.ingest.store.uploads import UploadStore
from services.retention.store import gauges as retention_gauges
from services.retention.store.database import PostgresStore
from services.retention.translation.responses import purge_ordered
from services.suggestion.store import gauges as suggestion_gauges
from services.suggestion.store.database import Database
from tests.contract.ingest.device_suite import device
from tests.contract.ingest.store_suite import upload
from tests.contract.retention.harness import new_harness
from tests.fakes.clock import FakeClock
from tests.integration.plans.filling import ROWS, Overrides, fill
from tests.integration.plans.recording import recorded, sequential_scans

Loop: TypeAlias = Callable[[], Awaitable[object]]
CLOCK = SystemClock()
NAMES = [f"c{number}" for number in range(0, 200_000, 2000)]
EVERYWHERE = (
    "inbox", "outbox", "change_head", "change_feed", "change_acknowledgement", "dead_letter", "orphan", "set_aside"
)  # fmt: skip
TABLES: Mapping[str, tuple[str, ...]] = {
    "consent": ("person", "consent_event", "pending_change", "request", "notice_serving"),
    "ingest": ("media", "upload", "segment", "deleted_media", "request", "discard", "missing_media", "usage", "device"),
    "analysis": ("media", "findings", "previews", "tombstone"),
    "suggestion": ("suggestion", "rendition", "decision", "due", "tombstone"),
    "retention": ("purpose_key", "data_key", "media", "erasure", "erased_subject", "erased_person",
                  "account_deletion", "request", "purge_order", "store_purge"),
}  # fmt: skip
_OUTBOX = {"sequence": "n", "incarnation": "timestamptz '2026-01-01'", "create_time": "now()"}
_TODAY = "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
OVERRIDES: Mapping[str, Overrides] = {
    "consent": {
        "outbox": _OUTBOX,
        "person": {"subject": "lpad(to_hex(n), 32, '0')"},
        # What ran out long ago was decided again since.
        "consent_event": {
            "subject": "lpad(to_hex(n / 2), 32, '0')",
            "purpose": "'LOCATION'",
            "expire_time": "now() + CASE n % 2 WHEN 0 THEN -1 ELSE 100 END * interval '1 day'",
        },
        "pending_change": {"subject": "lpad(to_hex(n), 32, '0')"},
    },
    "ingest": {"upload": {"committed_bytes": "0", "chunked_bytes": "0"}, "device": {"revoke_time": "NULL"}},
    "analysis": {
        "media": {
            "subject": "'p' || n / 100",
            "purpose": "'CLOUD_PROCESSING'",
            "state": "CASE n % 1000 WHEN 0 THEN 'PENDING' WHEN 1 THEN 'PARKED' ELSE 'DONE' END",
            "parked_reason": "CASE n % 1000 WHEN 1 THEN 'GIVEN_UP' END",
            "claim_id": "CASE n % 1000 WHEN 0 THEN lpad(to_hex(n), 32, '0')::uuid END",
            "metadata_revision": "1",
        },
        "findings": {"purpose": "'CLOUD_PROCESSING'", "models": "'scene'", "metadata_revision": "1"},
        "previews": {"size": "'THUMBNAIL'"},
    },
    "suggestion": {
        "suggestion": {"state": "'READY'", "state_before_dismissal": "NULL"},
    },
    "retention": {
        "purge_order": {
            "service": "(ARRAY['ingest', 'analysis', 'suggestion', 'retention'])[n % 4 + 1]",
            "cause": "'DEADLINE'",
            "complete_time": "now() - interval '1 day'",
            "erasure": "NULL",
            "account_deletion": "NULL",
        },
        "data_key": {"purpose": "'LOCATION'", "epoch": _TODAY},
        "purpose_key": {"purpose": "'LOCATION'", "epoch": _TODAY},
        "account_deletion": {"cancel_time": "NULL", "keys_destroy_time": "NULL", "complete_time": "NULL"},
    },
}


@dataclass(frozen=True)
class Filled:
    """A service's database with 100,000 rows in each table."""

    service: str
    pool: Pool
    superuser_url: str
    tables: Sequence[str]

    async def scans(
        self, monkeypatch: pytest.MonkeyPatch, *loops: Callable[[], Awaitable[object]]
    ) -> dict[str, set[str]]:
        with recorded(monkeypatch) as sent:
            for loop in loops:
                await loop()
        assert sent
        return await sequential_scans(self.superuser_url, sent, self.tables)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    async with postgres_server(tmp_path_factory.mktemp("postgres"), [SUPERUSER, *SERVICES]) as server:
        yield server


@asynccontextmanager
async def filled_database(server: PostgresServer, service: str, tables: Sequence[str]) -> AsyncIterator[Filled]:
    """Make a service's database and fill these tables."""
    settings = DatabaseSettings(database_url=SecretStr(server.url(service)))
    folder = Path(str(import_module(f"services.{service}").__file__)).parent
    await migrate(settings, folder / "migrations")
    url = server.url(SUPERUSER).rpartition("/")[0] + f"/{service}"
    await fill(url, tables, OVERRIDES[service])
    async with open_pool(settings) as pool:
        yield Filled(service, pool, url, tables)


pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_loops_of_the_chassis_and_consent(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with filled_database(server, "consent", (*EVERYWHERE, *TABLES["consent"])) as filled:
        assert await filled.scans(monkeypatch, *chassis_loops(filled.pool), *consent_loops(filled.pool)) == {}


@pytest.mark.parametrize("service", ["ingest", "analysis", "suggestion"])
async def test_the_loops_of(server: PostgresServer, monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    loops = {"ingest": ingest_loops, "analysis": analysis_loops, "suggestion": suggestion_loops}[service]
    async with filled_database(server, service, TABLES[service]) as filled:
        assert await filled.scans(monkeypatch, *loops(filled.pool)) == {}


async def test_the_loops_of_retention(server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with filled_database(server, "retention", TABLES["retention"]) as filled:
        store = PostgresStore(filled.pool, purge_ordered)
        harness = await new_harness(store, tmp_path, FakeClock(CLOCK.now()))
        await harness.grant()
        await harness.create(*[[]] * 3)
        await harness.withdraw()

        async def wake() -> None:
            async with store.transaction() as transaction:
                await transaction.keys.next_time()
                await transaction.orders.outstanding("ingest", 0, 100)

        gauges = (
            retention_gauges.purge_order_gauges(filled.pool, ["ingest"]),
            retention_gauges.epoch_gauges(filled.pool),
            retention_gauges.deadline_gauges(filled.pool),
        )
        assert await filled.scans(monkeypatch, harness.loop.pass_once, wake, *gauges) == {}


def chassis_loops(pool: Pool) -> Sequence[Loop]:
    now = CLOCK.now()
    state = StreamState(incarnation=datetime(2026, 1, 1, tzinfo=UTC), first=1, last=ROWS, heard=0)
    letters, set_aside, walks = DeadLetters(pool), PostgresSetAside(pool), PostgresWalks(pool)

    async def relay() -> None:
        async with pool.connection() as connection:
            await outbox.oldest_unsent(connection, 200, {str(uuid4())})
            await outbox.mark_lost(connection, state)
            await outbox.delete_heard(connection, state)
            await outbox.give_up_unheard(connection)
            await inbox.forget_old(connection)

    async def walk() -> None:
        await walks.begin_page("media", now, now + timedelta(minutes=1))
        await walks.note("media", Page("", NAMES), {NAMES[0]}, now)
        await walks.forget("media", NAMES)
        await walks.end_page("media", "", now)

    return [
        relay,
        walk,
        ChangeSweep(pool, CLOCK).sweep,
        lambda: letters.asked_again("c1", 100),
        lambda: letters.forget_old(now),
        lambda: set_aside.of_kind("none", now),
        lambda: set_aside.forget("none"),
        database_gauges(pool),
    ]


def consent_loops(pool: Pool) -> Sequence[Loop]:
    async def look() -> None:
        async with pool.connection() as connection:
            await EventRows(connection).due(CLOCK.now(), limit=100, since=BEGINNING, without={"ada"})
            await PersonRows(connection).unfinished(CLOCK.now(), limit=100, without={"ada"})
            await PersonRows(connection).answer_times("c1", CLOCK.now(), 200)
            await ServingRows(connection).times("c1", CLOCK.now(), 200)

    return [look]


def ingest_loops(pool: Pool) -> Sequence[Loop]:
    now, sweep, missing = CLOCK.now(), SweepStore(pool), MissingStore(pool)
    return [
        lambda: sweep.expired_uploads(now, 500, {str(uuid4())}),
        lambda: sweep.delete_complete([uuid4()]),
        lambda: sweep.discards(500, {str(uuid4())}),
        lambda: sweep.delete_discard(uuid4()),
        lambda: sweep.unknown_objects(NAMES),
        lambda: sweep.forget_deleted(now),
        lambda: sweep.forget_requests(now),
        lambda: missing.streams(UUID(int=0), 100),
        *ingest_counts(pool),
    ]


def ingest_counts(pool: Pool) -> Sequence[Loop]:
    quota, now = Quota(10**12), CLOCK.now()
    uploads, media, requests = UploadStore(pool), MediaStore(pool), RequestStore(pool)
    note = upload("c1", complete_time=now, data_key_id=None)
    return [
        lambda: media.used("c1"),
        lambda: media.usage("c1", now),
        lambda: uploads.add_complete(note, quota=quota),
        lambda: requests.remember("c1", uuid4(), b"tag", now, quota=quota),
        lambda: requests.remember("c1", uuid4(), b"tag", now, quota=Quota(1)),
        lambda: DeviceStore(pool).put(device("c1"), replaces=None, most=1),
    ]


def analysis_loops(pool: Pool) -> Sequence[Loop]:
    now, claimer = CLOCK.now(), Claimer(pool, CLOCK)
    later = now + timedelta(minutes=1)
    work = WorkStore(pool, events.media_analyzed, PostgresSetAside(pool), claimer)
    metadata, purge = MetadataStore(pool, events.media_analyzed), PurgeStore(pool)
    models = ModelSet(scene="scene", position="position", templates="templates")
    return [
        lambda: work.claim(limit=4, now=now, until=later),
        lambda: work.claim_renewals(limit=4, now=now, until=later),
        lambda: work.renew_stale(models, now),
        *(partial(work.subjects_without, purpose, after="", limit=100) for purpose in EXTRA_PURPOSES),
        lambda: work.want_purpose("p1", EXTRA_PURPOSES[0], now),
        lambda: metadata.media_with_stale_records(200, {str(uuid4())}),
        lambda: purge.expired(now, 200, {str(uuid4())}),
        lambda: purge.forget_tombstones(now),
        claimer.free_abandoned,
        lambda: OpenWork(pool, CLOCK).count(500),
        analysis_gauges.media_gauges(pool),
        work_gauges(pool, "analysis", analysis_gauges.DUE),
    ]


def suggestion_loops(pool: Pool) -> Sequence[Loop]:
    now, database = CLOCK.now(), Database(pool)

    async def look() -> None:
        async with database.transaction() as store:
            await store.refreshes.due(now, timedelta(seconds=3), timedelta(minutes=1), {"ada"})
            await store.refreshes.count(now, timedelta(seconds=3), timedelta(minutes=1), 500)
            await store.suggestions.expire(now, now)
            await store.suggestions.unknown_objects(NAMES)
            await store.decisions.forget(now)
            await store.purges.forget_tombstones(now)

    return [look, work_gauges(pool, "refresh", suggestion_gauges.DUE)]
