"""Process of the analysis service, put together."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from inference.client.client import InferenceClient
from inference.model_build.manifest import identities
from pellicule.analysis.v1 import analysis_service_pb2, analysis_service_pb2_grpc
from pellicule.internal.analysis.v1 import library_service_pb2, library_service_pb2_grpc
from services.analysis.access import ACCESS
from services.analysis.domain.model_set import model_set
from services.analysis.operations.dependencies import Buckets, Dependencies
from services.analysis.servicer import AnalysisServicer, LibraryServicer
from services.analysis.settings import Settings
from services.analysis.store.claimers import Claimer
from services.analysis.store.gauges import DUE, media_gauges
from services.analysis.store.library import LibraryStore
from services.analysis.store.metadata import MetadataStore
from services.analysis.store.open_work import OpenWork
from services.analysis.store.owners import OWNER_TABLES
from services.analysis.store.purge import PurgeStore
from services.analysis.store.work import WorkStore
from services.analysis.translation import events
from services.analysis.translation.requests import FEED
from services.analysis.vision.decoding import Limits, prepare_decoders
from services.analysis.vision.label_vectors import LabelVectorSource
from services.analysis.vision.pipeline import VisionModels
from services.analysis.vision.triton_models import TritonModels
from services.analysis.vision.triton_tls import RenewedTls
from services.analysis.worker import Worker
from services.chassis.calls import seconds_left
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
from services.chassis.preparation import Needs, OwnBucket, prepared
from services.chassis.server import InternalServices, serve
from services.chassis.task_leases import LeasedTasks
from services.chassis.tasks import Tasks
from services.journal.follower import Follower
from services.journal.gauges import journal_gauges
from services.journal.owners import Owners
from services.keyring.client import RetentionKeyring
from services.keyring.purge import PurgeLoop
from services.keyring.replay import PurgeReplay

NAME = "analysis"
STREAM = EventStream("ANALYSIS", ["pellicule.internal.analysis.v1.>"], consumers=["suggestion-analyzed"])
WORK = WorkStream.of(NAME)
DOMAIN = f"{NAME}.pellicule"
MIGRATIONS = Path(__file__).parent / "migrations"
SERVICES = (analysis_service_pb2.DESCRIPTOR.services_by_name["AnalysisService"].full_name,)
INTERNAL_SERVICES = (library_service_pb2.DESCRIPTOR.services_by_name["LibraryService"].full_name,)


async def main() -> None:
    """Run until told to stop."""
    settings = Settings()
    configure_logging(NAME, settings.log_level)
    prepare_decoders()
    clock = SystemClock()
    bucket = OwnBucket(settings, settings.previews_bucket, settings.backstop_days)
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
        tls = RenewedTls.of(settings.triton_ca_file, certificates)
        client = InferenceClient(settings.triton_address, clock, tls=tls, time_left=seconds_left)
        models = TritonModels(await stack.enter_async_context(client))
        threads = stack.enter_context(ThreadPoolExecutor(settings.decoder_threads, "decoder"))
        keyring, set_aside = RetentionKeyring(retention, clock), PostgresSetAside(pool)
        claimer = Claimer(pool, clock)
        dependencies = Dependencies(
            work=WorkStore(pool, events.media_analyzed, set_aside, claimer),
            metadata=MetadataStore(pool, events.media_analyzed),
            library=LibraryStore(pool),
            purge=PurgeStore(pool),
            keyring=keyring,
            objects=objects,
            buckets=Buckets(settings.media_bucket, settings.previews_bucket),
            vision=VisionModels(models, threads, Limits(pixels=settings.max_pixels), LabelVectorSource(models)),
            models=model_set(identities()),
            read_metadata=events.metadata,
            clock=clock,
        )
        worker = Worker(dependencies, settings.pace, set_aside)
        listener = Listener(pool, clock, CHANNEL)
        feed = ChangeFeed(PostgresChangeStore(pool), listener, clock, FEED)
        relay = OutboxRelay(pool, bus, clock, STREAM)
        servicer = AnalysisServicer(dependencies, feed, DOMAIN)
        follower.attach(pool, PurgeReplay(Owners(pool, OWNER_TABLES), worker.purge, clock))
        open_work = OpenWork(pool, clock).count
        wakes = WorkWakes(bus, WORK, open_work, worker.wake, clock)
        leased = LeasedTasks(
            pool,
            clock,
            {
                "sweeps": [worker.sweep, ChangeSweep(pool, clock).run],
                "purge": [PurgeLoop(retention, NAME, bus, worker.purge, clock, set_aside).run],
                **({"hints": [WorkHints(bus, WORK, open_work, clock).run]} if settings.works_apart else {}),
            },
        )
        await serve(
            name=NAME,
            settings=settings,
            register=partial(analysis_service_pb2_grpc.add_AnalysisServiceServicer_to_server, servicer),
            internal=InternalServices(
                partial(library_service_pb2_grpc.add_LibraryServiceServicer_to_server, LibraryServicer(dependencies)),
                INTERNAL_SERVICES,
            ),
            service_names=SERVICES,
            access=ACCESS,
            clock=clock,
            certificates=certificates,
            gauges=[bus_gauges(bus), journal_gauges(follower), pool_gauges(main=pool), objects.look],
            shared_gauges=[database_gauges(pool), leased.look, media_gauges(pool), work_gauges(pool, "analysis", DUE)],
            ready=follower.ready,
            tasks=Tasks(
                always=[follower.run, keyring.run],
                serving=[listener.run, relay.run],
                upkeep=[
                    relay.run,
                    *(consumer.run for consumer in worker.consumers(bus, pool)),
                    leased.run,
                ],
                work=[claimer.run, worker.watch_models, *([wakes.run] if settings.works_apart else []), worker.work],
            ),
        )


if __name__ == "__main__":
    asyncio.run(main())
