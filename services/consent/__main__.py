"""Composition root of the consent service."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from pellicule.consent.v1 import consent_service_pb2, notice_service_pb2
from services.chassis.certificates.renewal import Certificates
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.database import open_pool
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.gauges import bus_gauges, database_gauges, pool_gauges
from services.chassis.limits.allowance import DailyLimit
from services.chassis.listener import Listener
from services.chassis.logs import configure_logging
from services.chassis.messaging.bus import EventStream, connect_bus
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.preparation import Needs, prepared
from services.chassis.server import serve
from services.chassis.task_leases import LeasedTasks
from services.chassis.tasks import Tasks
from services.consent.access import ACCESS
from services.consent.domain.notice import Notice
from services.consent.errors import RecordKeyInvalid
from services.consent.notices.notice_files import read_notices, reopen_notice
from services.consent.notices.policy_file import read_policy
from services.consent.operations import purge
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.publish_notices import publish_notices
from services.consent.operations.replay_journal import replay
from services.consent.receipts.signer import Ed25519Signer
from services.consent.servicer import register
from services.consent.settings import Settings
from services.consent.store.change_feed import CHANNEL, ListeningChangeFeed
from services.consent.store.consents import PostgresConsentStore
from services.consent.store.notices import PostgresNoticeStore
from services.consent.store.owners import OWNER_TABLES
from services.consent.store.record_keys import RecordKeys
from services.consent.worker import Worker
from services.journal.errors import OpeningRefused
from services.journal.follower import Follower
from services.journal.gauges import journal_gauges
from services.journal.owners import Owners
from services.keyring.purge import PurgeLoop
from services.keyring.purpose_keys import RetentionPurposeKeys

NAME = "consent"
STREAM = EventStream("CONSENT", ["pellicule.internal.consent.v1.>"], consumers=["analysis-consent"])
SERVICES = (
    notice_service_pb2.DESCRIPTOR.services_by_name["NoticeService"].full_name,
    consent_service_pb2.DESCRIPTOR.services_by_name["ConsentService"].full_name,
)
SERVINGS_A_DAY, DECISIONS_A_DAY = 200, 200
WITHDRAWAL_CONNECTIONS = 2
"""Of the database, beside those of the pool: whatever goes on, a withdrawal finds one."""
_FOLDER = Path(__file__).parent


async def main() -> None:
    """Run the service until it is told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level)
    clock = SystemClock()
    if not await prepared(settings, Needs(_FOLDER / "migrations", STREAM), clock):
        return
    policy = read_policy(settings.policy_file)
    released = read_notices(_FOLDER / "notices", policy.offered)
    record_keys = RecordKeys.read(settings.record_key_file)
    signer = Ed25519Signer.read(settings.receipt_key_file)
    follower = Follower.of(settings, clock)
    certificates = Certificates(settings, clock)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, follower))
        reserved = await stack.enter_async_context(open_pool(settings, follower, size=WITHDRAWAL_CONNECTIONS))
        bus = await stack.enter_async_context(connect_bus(settings))
        retention = await stack.enter_async_context(
            open_channel(settings.retention_target, certificates, service="retention")
        )
        store = PostgresConsentStore(pool, record_keys)
        listener = Listener(pool, clock, CHANNEL)
        dependencies = Dependencies(
            store=store,
            withdrawals=PostgresConsentStore(reserved, record_keys),
            notices=PostgresNoticeStore(pool, record_keys, reopen_notice),
            policy=policy,
            keys=RetentionPurposeKeys(retention),
            feed=ListeningChangeFeed(listener),
            signer=signer,
            clock=clock,
            servings_a_day=DailyLimit("notices shown", SERVINGS_A_DAY),
            decisions_a_day=DailyLimit("decisions", DECISIONS_A_DAY),
        )
        set_aside = PostgresSetAside(pool)
        worker = Worker(dependencies, set_aside)
        relay = OutboxRelay(pool, bus, clock, STREAM)
        execute_purge = partial(purge.execute, dependencies=dependencies)
        follower.attach(
            pool,
            partial(replay, known=Owners(pool, OWNER_TABLES).of_tags, dependencies=dependencies),
            opening=partial(_open, store, released, dependencies),
        )
        leased = LeasedTasks(
            pool,
            clock,
            {
                "reconciling": [worker.run_sweep, worker.run_expiry],
                "purge": [PurgeLoop(retention, NAME, bus, execute_purge, clock, set_aside).run],
            },
        )
        await serve(
            name=NAME,
            settings=settings,
            register=partial(register, dependencies=dependencies),
            service_names=SERVICES,
            access=ACCESS,
            clock=clock,
            certificates=certificates,
            gauges=[bus_gauges(bus), journal_gauges(follower), pool_gauges(main=pool, withdrawals=reserved)],
            shared_gauges=[database_gauges(pool), leased.look],
            ready=follower.ready,
            tasks=Tasks(
                always=[follower.run],
                serving=[listener.run, relay.run],
                upkeep=[relay.run, leased.run],
            ),
        )
    if follower.refusal:
        raise SystemExit(follower.refusal)


async def _open(store: PostgresConsentStore, released: Sequence[Notice], dependencies: Dependencies) -> None:
    """Refuse a record key that is another one than wraps the records, and publish what this release tells people."""
    try:
        await store.check_key()
    except RecordKeyInvalid as error:
        raise OpeningRefused(str(error)) from None
    await publish_notices(released, dependencies)


if __name__ == "__main__":
    asyncio.run(main())
