"""The process of the consent service, put together."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from pellicule.consent.v1 import consent_service_pb2, notice_service_pb2
from services.chassis.bus import connect_bus
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.logs import configure_logging
from services.chassis.outbox import OutboxRelay
from services.chassis.server import serve
from services.consent import noticing
from services.consent.access import ACCESS
from services.consent.change_feed import PostgresChangeFeed
from services.consent.notice import read_notices
from services.consent.policy import read_policy
from services.consent.receipts import ReceiptSigner
from services.consent.record_keys import RecordKeys
from services.consent.servicer import ConsentServicer, NoticeServicer, register
from services.consent.settings import Settings
from services.consent.store.consents import PostgresConsentStore
from services.consent.store.notices import PostgresNoticeStore
from services.consent.worker import Worker
from services.keyring.purge import PurgeLoop
from services.keyring.purpose_keys import RetentionPurposeKeys

NAME = "consent"
SERVICES = (
    notice_service_pb2.DESCRIPTOR.services_by_name["NoticeService"].full_name,
    consent_service_pb2.DESCRIPTOR.services_by_name["ConsentService"].full_name,
)
_FOLDER = Path(__file__).parent


async def main() -> None:
    """Runs until told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level)
    clock = SystemClock()
    policy = read_policy(settings.policy_file)
    released = read_notices(_FOLDER / "notices")
    record_keys = RecordKeys.read(settings.record_key_file)
    signer = ReceiptSigner.read(settings.receipt_key_file)
    await migrate(settings, _FOLDER / "migrations")
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings))
        bus = await stack.enter_async_context(connect_bus(settings))
        retention = await stack.enter_async_context(
            open_channel(settings.retention_target, settings, service="retention")
        )
        await bus.ensure_stream("CONSENT", ["pellicule.consent.v1.>"])
        keys = RetentionPurposeKeys(retention)
        store = PostgresConsentStore(pool, record_keys)
        notices = PostgresNoticeStore(pool, record_keys)
        await store.check_key()
        await noticing.publish(released, policy, store=notices, clock=clock)
        feed = PostgresChangeFeed(pool, clock)
        worker = Worker(store, keys, clock)
        consent = ConsentServicer(
            store=store, notices=notices, policy=policy, keys=keys, feed=feed, signer=signer, clock=clock
        )
        await serve(
            name=NAME,
            settings=settings,
            register=partial(register, notices=NoticeServicer(notices=notices, clock=clock), consent=consent),
            service_names=SERVICES,
            access=ACCESS,
            clock=clock,
            tasks=[
                OutboxRelay(pool, bus, clock).run,
                feed.run,
                worker.sweep_again_and_again,
                worker.expire_again_and_again,
                PurgeLoop(retention, NAME, bus, worker.carry_out_purge, clock).run,
            ],
        )


if __name__ == "__main__":
    asyncio.run(main())
