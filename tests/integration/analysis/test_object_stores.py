"""Previews on every object store: put, read in part, deleted with their media."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.minio import MinioServer
from deploy.local.parts.object_store import ADMINISTRATOR
from deploy.local.parts.seaweedfs import SeaweedServer
from services.analysis import operations
from services.analysis.domain import PreviewSize, StoredMedia
from services.chassis.object_store import S3ObjectStore
from services.chassis.settings import ObjectStoreSettings
from tests.integration.local.conftest import object_store
from tests.unit.analysis.world import ANN, EVERYTHING, World

__all__ = ["object_store"]


@pytest_asyncio.fixture
async def objects(object_store: SeaweedServer | MinioServer) -> AsyncIterator[S3ObjectStore]:
    identity = object_store.identity(ADMINISTRATOR)
    settings = ObjectStoreSettings(
        s3_endpoint=f"http://{object_store.address}",
        s3_access_key=identity.access_key,
        s3_secret_key=SecretStr(identity.secret_key),
    )
    async with S3ObjectStore(settings) as objects:
        for bucket in ("media", "previews"):
            await objects.ensure_bucket(bucket, 32)
        yield objects


async def preview(world: World, media: StoredMedia, size: PreviewSize) -> bytes:
    return await operations.read_preview(
        ANN,
        media.media,
        size,
        library=world.store,
        keyring=world.keyring,
        objects=world.objects,
        bucket="previews",
    )


@pytest.mark.parametrize("withdrawn", [True, False], ids=["withdrawn", "erased"])
async def test_previews_are_there_and_then_they_are_not(objects: S3ObjectStore, withdrawn: bool) -> None:
    world = World(objects)
    world.keyring.grant(ANN, *EVERYTHING)
    media = await world.bring_in()
    await world.work()
    copies = [await preview(world, media, size) for size in PreviewSize]
    assert ([copy[:2] for copy in copies], len(await world.previews())) == ([b"\xff\xd8"] * 2, 1)
    await (world.withdraw("CLOUD_PROCESSING") if withdrawn else world.erase(media))
    assert await world.previews() == set()
