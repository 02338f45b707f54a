"""The process of the ingest service, put together."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

from pellicule.ingest.v1 import media_service_pb2, media_service_pb2_grpc
from services.chassis.bus import connect_bus
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.logs import configure_logging
from services.chassis.object_store import S3ObjectStore
from services.chassis.outbox import OutboxRelay
from services.chassis.server import serve
from services.ingest import purging
from services.ingest.access import ACCESS
from services.ingest.domain import BUCKET
from services.ingest.housekeeping import Housekeeping
from services.ingest.intake import Intake
from services.ingest.key_pool import KeyPool
from services.ingest.lookup import LookupKeys
from services.ingest.media_store import HousekeepingStore, LookupKeyStore, MediaStore
from services.ingest.purge_store import PurgeStore
from services.ingest.servicer import MediaServicer
from services.ingest.settings import Settings
from services.ingest.store import UploadStore
from services.ingest.translation import ProtoCodec
from services.ingest.worker import Worker
from services.ingest.writer_locks import open_writer_locks
from services.keyring.client import RetentionKeyring
from services.keyring.erasure import RetentionErasures
from services.keyring.purge import PurgeLoop

NAME = "ingest"
SERVICES = (media_service_pb2.DESCRIPTOR.services_by_name["MediaService"].full_name,)
MIGRATIONS = Path(__file__).parent / "migrations"


async def main() -> None:
    """Runs until told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level)
    clock, policy = SystemClock(), settings.policy
    await migrate(settings, MIGRATIONS)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings))
        locks = await stack.enter_async_context(open_writer_locks(settings))
        bus = await stack.enter_async_context(connect_bus(settings))
        objects = await stack.enter_async_context(S3ObjectStore(settings))
        retention = await stack.enter_async_context(
            open_channel(settings.retention_target, settings, service="retention")
        )
        await bus.ensure_stream("INGEST", ["pellicule.ingest.v1.>"])
        await objects.ensure_bucket(BUCKET, settings.backstop_days)
        keyring = RetentionKeyring(retention, clock)
        uploads, media = UploadStore(pool), MediaStore(pool)
        intake = Intake(
            uploads=uploads,
            media=media,
            lookup=LookupKeys(LookupKeyStore(pool), keyring, clock, policy.retention),
            keys=KeyPool(keyring, clock, policy.retention),
            locks=locks,
            keyring=keyring,
            objects=objects,
            codec=ProtoCodec(),
            clock=clock,
            policy=policy,
        )
        stack.push_async_callback(intake.aftermath.finish)
        housekeeping = Housekeeping(
            uploads=uploads,
            tables=HousekeepingStore(pool),
            objects=objects,
            keyring=keyring,
            clock=clock,
            orphan_grace=timedelta(minutes=settings.orphan_grace_minutes),
            deletions_kept=policy.retention,
        )
        worker = Worker(media, housekeeping, clock)
        purge = partial(purging.execute, tables=PurgeStore(pool), objects=objects)
        servicer = MediaServicer(intake, RetentionErasures(retention))
        await serve(
            name=NAME,
            settings=settings,
            register=partial(media_service_pb2_grpc.add_MediaServiceServicer_to_server, servicer),
            service_names=SERVICES,
            access=ACCESS,
            clock=clock,
            tasks=[
                keyring.run,
                OutboxRelay(pool, bus, clock).run,
                PurgeLoop(retention, NAME, bus, purge, clock).run,
                worker.consumer(bus, pool).run,
                worker.sweep,
            ],
        )


if __name__ == "__main__":
    asyncio.run(main())
