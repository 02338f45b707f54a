"""Objects that the store has lost, on real servers."""

import grpc
import psycopg
import pytest

from deploy.local.parts.lifecycle import running
from services.chassis.object_store import S3ObjectStore
from tests.integration.eventually import eventually
from tests.integration.ingest.harness import Harness, Phone, refusal, summary
from tests.unit.ingest.pictures import picture


async def lose(harness: Harness, media: str) -> None:
    query = "SELECT object FROM segment JOIN media USING (data_key_id) WHERE media.id = %s"
    with psycopg.connect(harness.servers.postgres.url("ingest")) as connection:
        names = [name for (name,) in connection.execute(query, [media.removeprefix("media/")])]
    async with S3ObjectStore(harness.object_settings()) as objects:
        await objects.delete("media", names)


async def test_a_reader_is_told_and_the_upload_heals_it(harness: Harness, phone: Phone) -> None:
    content = picture(seed=71)
    described = summary(content)
    media = await phone.upload(content, asset=described)
    await lose(harness, media.name)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await phone.read(media.name)
    status, error = refusal(caught.value)
    asked = await phone.plan(described)
    healed = await phone.upload(content, asset=described)
    assert (status, error.reason) == ("DATA_LOSS", "MEDIA_MISSING")
    assert asked[described.client_id][1] == "MISSING"
    assert (healed.name, await phone.read(media.name)) == (media.name, content)
    assert (await phone.plan(described))[described.client_id] == ("SKIP", "KNOWN")


async def test_a_process_that_starts_finds_what_was_lost(harness: Harness, phone: Phone) -> None:
    content = picture(seed=72)
    described = summary(content)
    media = await phone.upload(content, asset=described)
    await lose(harness, media.name)

    async def is_asked_for() -> bool:
        return (await phone.plan(described))[described.client_id][1] == "MISSING"

    async with running(harness.service("ingest", suffix="-2")):
        await eventually(is_asked_for)
    assert (await phone.get(media.name)).missing
