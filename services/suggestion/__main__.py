"""Process of the suggestion service, put together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from pellicule.suggestion.v1 import suggestion_service_pb2, suggestion_service_pb2_grpc
from services.chassis.certificates.renewal import Certificates
from services.chassis.changes.feed import ChangeFeed
from services.chassis.changes.records import CHANNEL
from services.chassis.changes.store import ChangeSweep, PostgresChangeStore
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.database import open_pool
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.gauges import bus_gauges, database_gauges, pool_gauges, work_gauges
from services.chassis.listener import Listener
from services.chassis.logs import configure_logging
from services.chassis.messaging.bus import EventStream, connect_bus
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.messaging.work import WorkHints, WorkStream, WorkWakes
from services.chassis.object_store import S3ObjectStore
from services.chassis.orphans import PostgresWalks
from services.chassis.preparation import Needs, OwnBucket, prepared
from services.chassis.server import serve
from services.chassis.task_leases import LeasedTasks
from services.chassis.tasks import Tasks
from services.journal.follower import Follower
from services.journal.gauges import journal_gauges
from services.journal.owners import Owners
from services.keyring.client import RetentionKeyring
from services.keyring.purge import PurgeLoop
from services.keyring.replay import PurgeReplay
from services.suggestion.access import ACCESS
from services.suggestion.clients.analysis import AnalysisClient
from services.suggestion.operations import purge
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.servicer import SuggestionServicer
from services.suggestion.settings import Settings
from services.suggestion.store.database import Database
from services.suggestion.store.gauges import DUE
from services.suggestion.store.owners import OWNER_TABLES
from services.suggestion.translation import FEED
from services.suggestion.worker import Worker

NAME = "suggestion"
STREAM = EventStream("SUGGESTION", ["pellicule.internal.suggestion.v1.>"], consumers=["ingest-saved"])
MIGRATIONS = Path(__file__).parent / "migrations"
WORK = WorkStream.of(NAME)
SERVICES = (suggestion_service_pb2.DESCRIPTOR.services_by_name["SuggestionService"].full_name,)


async def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level)
    clock = SystemClock()
    bucket = OwnBucket(settings, settings.renditions_bucket, settings.backstop_days)
    if not await prepared(settings, Needs(MIGRATIONS, STREAM, bucket, WORK), clock):
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
        analysis = await stack.enter_async_context(
            open_channel(settings.analysis_target, certificates, service="analysis")
        )
        keyring = RetentionKeyring(retention, clock)
        listener = Listener(pool, clock, CHANNEL)
        dependencies = Dependencies(
            database=Database(pool),
            analysis=AnalysisClient(analysis),
            keyring=keyring,
            objects=objects,
            change_feed=ChangeFeed(PostgresChangeStore(pool), listener, clock, FEED),
            bucket=settings.renditions_bucket,
            policy=settings.policy,
            clock=clock,
        )
        stack.push_async_callback(dependencies.cleanup.finish)
        set_aside = PostgresSetAside(pool)
        worker = Worker(dependencies, set_aside, PostgresWalks(pool))
        relay = OutboxRelay(pool, bus, clock, STREAM)
        servicer = SuggestionServicer(dependencies)
        execute_purge = partial(purge.execute, dependencies)
        follower.attach(pool, PurgeReplay(Owners(pool, OWNER_TABLES), execute_purge, clock))
        wakes = WorkWakes(bus, WORK, worker.open_work, worker.wake, clock)
        leased = LeasedTasks(
            pool,
            clock,
            {
                "sweeps": [worker.run_sweeps, ChangeSweep(pool, clock).run],
                "purge": [PurgeLoop(retention, NAME, bus, execute_purge, clock, set_aside).run],
                **({"hints": [WorkHints(bus, WORK, worker.open_work, clock).run]} if settings.works_apart else {}),
            },
        )
        await serve(
            name=NAME,
            settings=settings,
            register=partial(suggestion_service_pb2_grpc.add_SuggestionServiceServicer_to_server, servicer),
            service_names=SERVICES,
            access=ACCESS,
            clock=clock,
            certificates=certificates,
            gauges=[bus_gauges(bus), journal_gauges(follower), pool_gauges(main=pool), objects.look],
            shared_gauges=[database_gauges(pool), leased.look, work_gauges(pool, "refresh", DUE)],
            ready=follower.ready,
            tasks=Tasks(
                always=[follower.run, keyring.run],
                serving=[listener.run, relay.run],
                upkeep=[
                    relay.run,
                    worker.consumer(bus, pool).run,
                    leased.run,
                ],
                work=[*([wakes.run] if settings.works_apart else []), worker.run_refreshes],
            ),
        )


if __name__ == "__main__":
    asyncio.run(main())
