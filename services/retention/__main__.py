"""Composition root of the retention service."""

import asyncio
from pathlib import Path

import grpc

from pellicule.retention.v1 import (
    key_service_pb2,
    key_service_pb2_grpc,
    purge_service_pb2,
    purge_service_pb2_grpc,
    retention_service_pb2,
    retention_service_pb2_grpc,
)
from services.chassis.bus import connect_bus
from services.chassis.clock import SystemClock
from services.chassis.database import migrate, open_pool
from services.chassis.logs import configure_logging
from services.chassis.outbox import OutboxRelay
from services.chassis.server import serve
from services.retention import translation
from services.retention.access import ACCESS
from services.retention.data_map import load_data_map
from services.retention.epoch_files import EpochFiles, read_root_key
from services.retention.hub import RevocationHub
from services.retention.operations.clocks import rotate_epochs
from services.retention.servicer import Dependencies, KeyServicer, PurgeServicer, RetentionServicer
from services.retention.settings import Settings
from services.retention.store.database import PostgresStore
from services.retention.worker import ClockLoop

NAME = "retention"
MIGRATIONS = Path(__file__).parent / "migrations"
STREAM = "RETENTION"
STREAM_SUBJECTS = ("pellicule.retention.v1.>",)
SERVICE_NAMES = tuple(
    service.full_name
    for file in (key_service_pb2, purge_service_pb2, retention_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
)


def register(server: grpc.aio.Server, dependencies: Dependencies) -> None:
    """Adds the RPCs to a server."""
    key_service_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(dependencies), server)
    purge_service_pb2_grpc.add_PurgeServiceServicer_to_server(PurgeServicer(dependencies), server)
    retention_service_pb2_grpc.add_RetentionServiceServicer_to_server(RetentionServicer(dependencies), server)


async def main() -> None:
    """Runs the service until it is told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level, fields=("epoch",))
    clock = SystemClock()
    epoch_keys = EpochFiles(settings.epoch_dir, read_root_key(settings.root_key_file))
    await migrate(settings, MIGRATIONS)
    async with open_pool(settings) as pool, connect_bus(settings) as bus:
        await bus.ensure_stream(STREAM, STREAM_SUBJECTS)
        store = PostgresStore(pool, translation.purge_ordered)
        await rotate_epochs(store=store, epoch_keys=epoch_keys, clock=clock)
        hub = RevocationHub(store, clock)
        data_map = load_data_map()
        dependencies = Dependencies(
            store, epoch_keys, hub, data_map, clock, longest_days=settings.longest_retention_days
        )
        await serve(
            name=NAME,
            settings=settings,
            register=lambda server: register(server, dependencies),
            service_names=SERVICE_NAMES,
            access=ACCESS,
            clock=clock,
            tasks=(hub.run, ClockLoop(store, epoch_keys, clock, data_map).run, OutboxRelay(pool, bus, clock).run),
        )


if __name__ == "__main__":
    asyncio.run(main())
