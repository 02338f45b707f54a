"""Previews on every object store: put, read in part, deleted with their media."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.minio import MinioServer
from deploy.local.parts.object_store import ADMINISTRATOR
from deploy.local.parts.seaweedfs import SeaweedServer
from services.analysis.domain.media import PreviewSize, StoredMedia
from services.analysis.operations.read_preview import read_preview
from services.chassis.object_store import S3ObjectStore
from services.chassis.settings import ObjectStoreSettings
from tests.integration.local.conftest import object_store
from tests.unit.analysis.harness import ANN, EVERYTHING, Harness

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


async def preview(harness: Harness, media: StoredMedia, size: PreviewSize) -> bytes:
    return await read_preview(ANN, media.media, size, harness.dependencies)


@pytest.mark.parametrize("withdrawn", [True, False], ids=["withdrawn", "erased"])
async def test_previews_are_there_and_then_they_are_not(objects: S3ObjectStore, withdrawn: bool) -> None:
    harness = Harness(objects)
    harness.keyring.grant(ANN, *EVERYTHING)
    media = await harness.bring_in()
    await harness.work()
    copies = [await preview(harness, media, size) for size in PreviewSize]
    assert ([copy[:2] for copy in copies], len(await harness.previews())) == ([b"\xff\xd8"] * 2, 1)
    await (harness.withdraw("CLOUD_PROCESSING") if withdrawn else harness.erase(media))
    assert await harness.previews() == set()
