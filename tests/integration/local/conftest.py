from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
import pytest_asyncio

from deploy.local.parts.minio import MinioServer, minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.seaweedfs import SeaweedServer, seaweedfs_server


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["seaweedfs", "minio"])
async def object_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SeaweedServer | MinioServer]:
    if request.param == "minio" and cached_minio() is None:
        pytest.skip("MinIO is not built here: python -m deploy.local.parts.minio_program")
    folder = tmp_path_factory.mktemp(str(request.param))
    server: AbstractAsyncContextManager[SeaweedServer | MinioServer] = (
        minio_server(folder) if request.param == "minio" else seaweedfs_server(folder)
    )
    async with server as running:
        yield running
