"""Harness of unit tests: the worker and everything that it reaches for, in memory.

Persons grant and withdraw, ingest stores media, models know one face, and time moves by hand.
"""

from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
from PIL import Image

from pellicule.internal.ingest.v1 import media_stored_pb2
from services.analysis.domain.findings import Analysis
from services.analysis.domain.media import MetadataUpdate, StoredMedia
from services.analysis.domain.model_set import model_set
from services.analysis.domain.pace import Pace
from services.analysis.operations.dependencies import Buckets, Dependencies
from services.analysis.operations.list_analyses import list_analyses
from services.analysis.translation import events
from services.analysis.vision.decoding import Limits, prepare_decoders
from services.analysis.vision.label_vectors import LabelVectorSource
from services.analysis.vision.pipeline import VisionModels
from services.analysis.worker import Worker
from services.chassis.object_store import ObjectStore, random_name
from services.chassis.seal import seal_bytes, seal_object
from services.keyring import (
    DataKey,
    DataKeyScope,
    NewDataKey,
    PurgeCause,
    PurgeOrder,
    PurgeScope,
    Purpose,
    PurposeScope,
    SubjectScope,
)
from tests.fakes.analysis_store import FakeAnalysisStore
from tests.fakes.clock import FakeClock
from tests.fakes.keyring import FakeKeyring
from tests.fakes.models import FACE_COLOUR, SERVED, FakeModels
from tests.fakes.object_store import FakeObjectStore
from tests.fakes.set_aside import FakeSetAside
from tests.unit.analysis.photos import LYON, encode, exif

ANN, BOB = "a" * 32, "b" * 32
EVERYTHING = ("CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING")
MODELS = model_set(SERVED)


class Here(Executor):
    """Does work at once, in the thread that asks for it."""

    def submit(self, work: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except Exception as error:  # noqa: BLE001  # as every executor does
            future.set_exception(error)
        return future


def portrait(shade: int = 120) -> bytes:
    """Return a file with a face for the fake models, taken in Lyon."""
    picture = np.full((300, 400, 3), shade, np.uint8)
    picture[100:180, 120:200] = FACE_COLOUR
    return encode(Image.fromarray(picture), exif=exif(position=LYON))


def sealed_metadata(key: DataKey, *, screenshot: bool = False, favorite: bool = False, hidden: bool = False) -> bytes:
    """Return ingest's sealed message."""
    message = media_stored_pb2.MediaMetadata(
        width=400, height=300, orientation=1, screenshot=screenshot, favorite=favorite, hidden=hidden
    )
    message.capture_time.FromDatetime(datetime(2026, 2, 1, tzinfo=UTC))
    return seal_bytes(key.key, message.SerializeToString(), f"{key.id}|metadata".encode())


class Harness:
    """Everything that the worker reaches for, and the worker."""

    def __init__(self, objects: ObjectStore | None = None) -> None:
        prepare_decoders()
        self.clock = FakeClock()
        self.keyring = FakeKeyring(self.clock)
        self.objects: ObjectStore = objects or FakeObjectStore()
        self.store = FakeAnalysisStore(self.clock)
        self.models = FakeModels()
        self.dependencies = Dependencies(
            work=self.store,
            metadata=self.store,
            library=self.store,
            purge=self.store,
            keyring=self.keyring,
            objects=self.objects,
            buckets=Buckets(),
            vision=VisionModels(self.models, Here(), Limits(), LabelVectorSource(self.models)),
            models=MODELS,
            read_metadata=events.metadata,
            clock=self.clock,
        )
        self.worker = Worker(self.dependencies, Pace(batch=2, in_hand=4), FakeSetAside())

    async def bring_in(
        self,
        data: bytes | None = None,
        *,
        subject: str = ANN,
        purpose: Purpose = Purpose.CLOUD_PROCESSING,
        screenshot: bool = False,
    ) -> StoredMedia:
        """Seals, store and announces a file."""
        id_, until = uuid4(), self.clock.now() + timedelta(days=20)
        (key,) = await self.keyring.create(
            subject=subject, purpose=purpose, keys=[NewDataKey(until, (f"media/{id_}",))]
        )
        name = random_name()
        sealed = seal_object(key.key, portrait() if data is None else data, f"{key.id}|{purpose}".encode())
        await self.objects.put("media", name, sealed)
        metadata = sealed_metadata(key, screenshot=screenshot)
        media = StoredMedia(id_, subject, purpose, key.id, key.purpose_revision, (name,), metadata, 1, until)
        await self.store.announce(media, self.clock.now())
        return media

    async def replace(self, media: StoredMedia, data: bytes, *, revision: int = 2) -> StoredMedia:
        """Seals, store and announces another file of the same media, as ingest does with its original."""
        (key,) = await self.keyring.create(
            subject=media.subject, purpose=media.purpose, keys=[NewDataKey(media.delete_time, (media.name,))]
        )
        name = random_name()
        await self.objects.put("media", name, seal_object(key.key, data, f"{key.id}|{media.purpose}".encode()))
        row = replace(
            media,
            data_key_id=key.id,
            objects=(name,),
            sealed_metadata=sealed_metadata(key),
            metadata_revision=revision,
        )
        await self.store.announce(row, self.clock.now())
        return row

    async def update(
        self, media: StoredMedia, *, revision: int = 2, favorite: bool = False, hidden: bool = False
    ) -> MetadataUpdate:
        """Return what ingest tells when the owner changes a media."""
        opened = await self.keyring.open(subject=media.subject, purpose=media.purpose, ids=[media.data_key_id])
        key = DataKey(media.data_key_id, opened[media.data_key_id], media.purpose_revision)
        sealed = sealed_metadata(key, favorite=favorite, hidden=hidden)
        return MetadataUpdate(media.media, media.subject, media.data_key_id, sealed, revision)

    async def work(self) -> None:
        """Lets the worker do all that is due now."""
        await self.worker.drain()

    async def work_in(self, seconds: float) -> None:
        """Lets time pass, then lets the worker do what is due."""
        await self.clock.advance(seconds)
        await self.work()

    async def known(self, subject: str = ANN) -> list[Analysis]:
        return await list_analyses(subject, self.dependencies)

    async def only(self, subject: str = ANN) -> Analysis:
        (analysis,) = await self.known(subject)
        return analysis

    def purposes(self) -> set[str]:
        """Return the purposes that anything is stored for."""
        return {row.purpose for row in self.store.records.values()}

    async def previews(self) -> set[str]:
        """Return the names of the objects with previews."""
        return {name async for name in self.objects.list("previews")}

    async def serve(self, **identities: str) -> None:
        """Has other models served, and the sweep find out."""
        self.models.served = {**self.models.served, **identities}
        await self.worker.sweep_models()

    async def order(self, scope: PurgeScope, subject: str = ANN) -> dict[str, int]:
        """Give the worker a purge order."""
        order = PurgeOrder(f"purgeOrders/{uuid4()}", subject, PurgeCause.WITHDRAWAL, scope, self.clock.now())
        return dict(await self.worker.purge(order))

    async def withdraw(self, purpose: str, subject: str = ANN) -> dict[str, int]:
        """Withdraws a purpose and has its order carried out."""
        revision = self.keyring.destroy_purpose(subject, purpose)
        return await self.order(PurposeScope(purpose, revision or 0), subject)

    async def erase(self, media: StoredMedia) -> dict[str, int]:
        """Erases a media and has its order carried out."""
        ids = self.keyring.destroy_media(media.subject, media.name)
        return await self.order(DataKeyScope(tuple(ids)), media.subject)

    async def erase_person(self, subject: str = ANN) -> dict[str, int]:
        """Erases a person and has the order carried out."""
        return await self.order(SubjectScope(self.keyring.destroy_subject(subject), self.clock.now()), subject)
