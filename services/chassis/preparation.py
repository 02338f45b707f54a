"""Preparation: what a service's processes find in place before they begin, made by the role `prepare`."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from services.chassis.clock import Clock
from services.chassis.database import migrate
from services.chassis.messaging.bus import EventStream, connect_bus
from services.chassis.messaging.work import WorkStream, ensure_work_stream
from services.chassis.object_store import S3ObjectStore
from services.chassis.roles import Role
from services.chassis.schema import SchemaBehind, await_schema
from services.chassis.settings import ObjectStoreSettings, ProcessSettings

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class OwnBucket:
    """A bucket of a service.

    Attributes:
        store: Where it is.
        name: Its name.
        expire_days: Age in days at which the store removes an object by itself.
    """

    store: ObjectStoreSettings
    name: str
    expire_days: int


@dataclass(frozen=True)
class Needs:
    """What a service needs to be in place.

    Attributes:
        migrations: Its own, beside those of the chassis.
        stream: Of its events.
        bucket: What it stores objects in, if it does.
        work: What hints of heavy work are kept in, if it has any.
    """

    migrations: Path
    stream: EventStream
    bucket: OwnBucket | None = None
    work: WorkStream | None = None


async def prepared(settings: ProcessSettings, needs: Needs, clock: Clock) -> bool:
    """Make what a service needs if that is this process's role, or else wait for the schema.

    Returns:
        Whether there is anything more for this process to do.

    Raises:
        MigrationFailed: the schema could not be brought up to date.
        DependencyUnavailable: the bus or the object store does not answer.
        SystemExit: the schema is not there in time.
    """
    if Role.PREPARE in settings.roles:
        await _prepare(settings, needs)
        return settings.roles != {Role.PREPARE}
    try:
        await await_schema(settings, needs.migrations, clock)
    except SchemaBehind as error:
        raise SystemExit(str(error)) from None
    return True


async def _prepare(settings: ProcessSettings, needs: Needs) -> None:
    await migrate(settings, needs.migrations)
    async with AsyncExitStack() as stack:
        if needs.bucket is not None:
            objects = await stack.enter_async_context(S3ObjectStore(needs.bucket.store))
            await objects.ensure_bucket(needs.bucket.name, needs.bucket.expire_days)
        bus = await stack.enter_async_context(connect_bus(settings))
        await bus.ensure_stream(needs.stream.name, needs.stream.subjects)
        if needs.work is not None:
            await ensure_work_stream(bus, needs.work)
    _log.info("service_prepared")
