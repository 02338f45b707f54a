"""Process of the ingest service: everything put together."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import grpc

from pellicule.ingest.v1 import (
    device_service_pb2,
    device_service_pb2_grpc,
    media_service_pb2,
    media_service_pb2_grpc,
)
from services.chassis.certificates.renewal import Certificates
from services.chassis.changes.feed import ChangeFeed
from services.chassis.changes.records import CHANNEL
from services.chassis.changes.store import ChangeSweep, PostgresChangeStore
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.database import open_pool
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.gauges import bus_gauges, database_gauges, pool_gauges
from services.chassis.limits.allowance import DailyAllowance
from services.chassis.listener import Listener
from services.chassis.logs import configure_logging
from services.chassis.messaging.bus import EventStream, connect_bus
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.object_store import S3ObjectStore
from services.chassis.orphans import OrphanSweep, PostgresWalks
from services.chassis.preparation import Needs, OwnBucket, prepared
from services.chassis.server import serve
from services.chassis.task_leases import LeasedTasks
from services.chassis.tasks import Tasks
from services.ingest.access import ACCESS
from services.ingest.domain.media import BUCKET
from services.ingest.operations import purge
from services.ingest.operations.background import BackgroundWork
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.inspection import Inspection
from services.ingest.operations.key_pool import KeyPool
from services.ingest.operations.lookup_keys import LookupKeys
from services.ingest.operations.sweep import Sweep
from services.ingest.operations.upload_memory import UploadMemory
from services.ingest.ports import REVOCATIONS
from services.ingest.servicer import DeviceServicer, MediaServicer
from services.ingest.settings import Settings
from services.ingest.store.devices import DeviceStore
from services.ingest.store.lookup_keys import LookupKeyStore
from services.ingest.store.media import MediaStore
from services.ingest.store.missing import MissingStore
from services.ingest.store.owners import OWNER_TABLES
from services.ingest.store.purge import PurgeStore
from services.ingest.store.requests import RequestStore
from services.ingest.store.sweep import SweepStore
from services.ingest.store.uploads import UploadStore
from services.ingest.translation.changes import FEED
from services.ingest.translation.codec import ProtoCodec
from services.ingest.worker import Worker, run_inspection
from services.journal.follower import Follower
from services.journal.gauges import journal_gauges
from services.journal.owners import Owners
from services.keyring.client import RetentionKeyring
from services.keyring.erasure_client import RetentionErasures
from services.keyring.purge import PurgeLoop
from services.keyring.replay import PurgeReplay

NAME = "ingest"
STREAM = EventStream("INGEST", ["pellicule.internal.ingest.v1.>"], consumers=["analysis-media"])
SERVICES = (
    media_service_pb2.DESCRIPTOR.services_by_name["MediaService"].full_name,
    device_service_pb2.DESCRIPTOR.services_by_name["DeviceService"].full_name,
)
MIGRATIONS = Path(__file__).parent / "migrations"


async def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level)
    clock, policy = SystemClock(), settings.policy
    bucket = OwnBucket(settings, BUCKET, settings.backstop_days)
    if not await prepared(settings, Needs(MIGRATIONS, STREAM, bucket), clock):
        return
    follower = Follower.of(settings, clock)
    certificates = Certificates(settings, clock)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, follower))
        bus = await stack.enter_async_context(connect_bus(settings))
        objects = await stack.enter_async_context(S3ObjectStore(settings))
        retention = await stack.enter_async_context(
            open_channel(settings.retention_target, certificates, service="retention")
        )
        keyring = RetentionKeyring(retention, clock)
        uploads, media, missing = UploadStore(pool), MediaStore(pool), MissingStore(pool)
        background = BackgroundWork()
        stack.push_async_callback(background.finish)
        listener = Listener(pool, clock, CHANNEL, REVOCATIONS)
        dependencies = Dependencies(
            uploads=uploads,
            media=media,
            missing=missing,
            devices=DeviceStore(pool),
            requests=RequestStore(pool),
            lookup_keys=LookupKeys(LookupKeyStore(pool), keyring, clock, policy.retention, background),
            key_pool=KeyPool(keyring, clock, policy.retention),
            keyring=keyring,
            erasures=RetentionErasures(retention),
            objects=objects,
            change_feed=ChangeFeed(PostgresChangeStore(pool), listener, clock, FEED),
            wakes=listener,
            codec=ProtoCodec(),
            clock=clock,
            uploads_a_day=DailyAllowance("uploads", settings.caller_uploads_per_day, clock),
            policy=policy,
            background=background,
            memory=UploadMemory(settings.upload_memory_bytes, settings.caller_upload_memory_bytes),
        )
        tables, set_aside = SweepStore(pool), PostgresSetAside(pool)
        sweep = Sweep(
            uploads=uploads,
            tables=tables,
            objects=objects,
            keyring=keyring,
            clock=clock,
            set_aside=set_aside,
            deletions_kept=policy.retention,
        )
        grace = timedelta(minutes=settings.orphan_grace_minutes)
        backstop = timedelta(days=settings.backstop_days)
        orphans = OrphanSweep(objects, BUCKET, tables.unknown_objects, PostgresWalks(pool), clock, grace, backstop)
        worker = Worker(media, sweep, orphans, clock)
        relay = OutboxRelay(pool, bus, clock, STREAM)
        execute_purge = partial(purge.execute, tables=PurgeStore(pool), objects=objects)
        follower.attach(pool, PurgeReplay(Owners(pool, OWNER_TABLES), execute_purge, clock))
        leased = LeasedTasks(
            pool,
            clock,
            {
                "sweeps": [worker.run_sweep, ChangeSweep(pool, clock).run],
                "inspection": [partial(run_inspection, Inspection(missing, objects, clock), clock)],
                "purge": [PurgeLoop(retention, NAME, bus, execute_purge, clock, set_aside).run],
            },
        )
        await serve(
            name=NAME,
            settings=settings,
            register=partial(_register, dependencies),
            service_names=SERVICES,
            access=ACCESS,
            clock=clock,
            certificates=certificates,
            gauges=[bus_gauges(bus), journal_gauges(follower), pool_gauges(main=pool), objects.look],
            shared_gauges=[database_gauges(pool), leased.look, missing.look],
            ready=follower.ready,
            tasks=Tasks(
                always=[follower.run, keyring.run],
                serving=[listener.run, relay.run],
                upkeep=[
                    relay.run,
                    worker.consumer(bus, pool).run,
                    leased.run,
                ],
            ),
        )


def _register(dependencies: Dependencies, server: grpc.aio.Server) -> None:
    media_service_pb2_grpc.add_MediaServiceServicer_to_server(MediaServicer(dependencies), server)
    device_service_pb2_grpc.add_DeviceServiceServicer_to_server(DeviceServicer(dependencies), server)


if __name__ == "__main__":
    asyncio.run(main())
