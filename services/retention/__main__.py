"""Composition root of the retention service."""

import asyncio
from functools import partial
from pathlib import Path

import structlog

from pellicule.internal.retention.v1 import key_service_pb2, purge_service_pb2
from pellicule.retention.v1 import account_service_pb2, retention_service_pb2
from services.chassis.clock import SystemClock
from services.chassis.database import open_pool
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.gauges import bus_gauges, database_gauges, pool_gauges
from services.chassis.logs import configure_logging
from services.chassis.messaging.bus import EventStream, connect_bus
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.preparation import Needs, prepared
from services.chassis.roles import Role
from services.chassis.server import InternalServices, serve
from services.chassis.task_leases import LeasedTasks
from services.chassis.tasks import Tasks
from services.journal.follower import Follower
from services.journal.gauges import journal_gauges
from services.retention.access import ACCESS
from services.retention.declarations.data_map_file import load_data_map
from services.retention.epochs.choice import open_epoch_keys
from services.retention.errors import EpochsMisplaced, KeysUnavailable
from services.retention.journal.writer import JournalWriter
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.follow_epochs import follow_epochs
from services.retention.operations.keys_at_hand import with_keys
from services.retention.operations.missing_epochs import refuse_misplaced
from services.retention.operations.replay_journal import replay
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.operations.watch_revocations import RevocationHub
from services.retention.servicer import register, register_internal
from services.retention.settings import Settings
from services.retention.store.database import PostgresStore
from services.retention.store.gauges import deadline_gauges, epoch_gauges, purge_order_gauges
from services.retention.translation import responses
from services.retention.worker import ClockLoop

_log = structlog.stdlib.get_logger()

NAME = "retention"
MIGRATIONS = Path(__file__).parent / "migrations"
STREAM = EventStream("RETENTION", ["pellicule.internal.retention.v1.>"])
SERVICES = (
    retention_service_pb2.DESCRIPTOR.services_by_name["RetentionService"].full_name,
    account_service_pb2.DESCRIPTOR.services_by_name["AccountService"].full_name,
)
INTERNAL_SERVICES = (
    key_service_pb2.DESCRIPTOR.services_by_name["KeyService"].full_name,
    purge_service_pb2.DESCRIPTOR.services_by_name["PurgeService"].full_name,
)


async def main() -> None:
    """Run the service until it is told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level, fields=("epoch",))
    clock = SystemClock()
    if not await prepared(settings, Needs(MIGRATIONS, STREAM), clock):
        return
    follower = Follower.of(settings, clock)
    async with (
        open_epoch_keys(settings, clock) as epoch_keys,
        open_pool(settings, follower) as pool,
        # Of its own: what waits for the journal must not wait for those who ask for destructions.
        open_pool(settings, follower, size=1) as writer_pool,
        connect_bus(settings) as bus,
    ):
        store = PostgresStore(pool, responses.purge_ordered)
        writer = JournalWriter(writer_pool, follower, clock)
        hub = RevocationHub(store.replicas, clock)
        dependencies = Dependencies(
            store=store,
            epoch_keys=epoch_keys,
            revocations=hub,
            journal=writer,
            data_map=load_data_map(),
            clock=clock,
            longest_days=settings.longest_retention_days,
            lost_epochs=frozenset(settings.lost_epochs.split(",")),
        )
        await _refuse_wrong_folder(settings, dependencies)
        relay = OutboxRelay(pool, bus, clock, STREAM)
        clock_loop = ClockLoop(dependencies, PostgresSetAside(pool))
        leased = LeasedTasks(
            pool, clock, {"deadlines": [clock_loop.meet_deadlines], "housekeeping": [clock_loop.keep_house]}
        )
        follower.attach(
            pool,
            partial(replay, dependencies=dependencies),
            begins=True,
            opening=partial(_open, settings, writer, dependencies),
        )
        await serve(
            name=NAME,
            settings=settings,
            register=partial(register, dependencies=dependencies),
            internal=InternalServices(partial(register_internal, dependencies=dependencies), INTERNAL_SERVICES),
            service_names=SERVICES,
            access=ACCESS,
            clock=clock,
            gauges=[bus_gauges(bus), journal_gauges(follower), pool_gauges(main=pool, journal=writer_pool)],
            shared_gauges=[
                database_gauges(pool),
                leased.look,
                purge_order_gauges(pool, dependencies.data_map.personal_services),
                epoch_gauges(pool),
                deadline_gauges(pool),
            ],
            ready=follower.ready,
            tasks=Tasks(
                always=[follower.run, writer.run, hub.run, clock_loop.follow],
                serving=[relay.run],
                upkeep=[relay.run, leased.run],
            ),
        )


async def _refuse_wrong_folder(settings: Settings, dependencies: Dependencies) -> None:
    """End the start while nothing serves yet, if the keys of epochs are others."""
    async with open_pool(settings) as pool:
        store = PostgresStore(pool, responses.purge_ordered)

        async def look() -> None:
            async with store.transaction() as transaction:
                await refuse_misplaced(transaction, dependencies)

        try:
            await with_keys(dependencies.epoch_keys, look)
        except EpochsMisplaced as error:
            raise SystemExit(error.message) from None
        except KeysUnavailable as error:  # the door stays shut until they are had
            _log.warning("epochs_not_seen", reason=error.message)


async def _open(settings: Settings, writer: JournalWriter, dependencies: Dependencies) -> None:
    """Hand out no fencing number twice, and have an epoch for the first call, made or found."""
    await writer.reserve_revisions()
    await (rotate_epochs if Role.UPKEEP in settings.roles else follow_epochs)(dependencies)


if __name__ == "__main__":
    asyncio.run(main())
