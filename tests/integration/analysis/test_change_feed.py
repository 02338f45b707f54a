"""The change feed of analyses: a snapshot, what happens then, and where a device that was away goes on."""

import asyncio
from uuid import UUID, uuid4

import grpc
import pytest

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from services.chassis.error_details import read_error
from tests.integration.analysis.harness import Harness, Reader
from tests.integration.analysis.test_consent import PORTRAIT, reason
from tests.integration.analysis.test_whole_way import about, finished
from tests.unit.analysis.photos import encode, photo

pytestmark = pytest.mark.asyncio(loop_scope="session")

DONE = analysis_pb2.ANALYSIS_STATE_DONE
PHONE = f"devices/{UUID(int=7)}"


def told(messages: list[analysis_service_pb2.WatchAnalysesResponse]) -> list[str]:
    return [str(message.WhichOneof("change")) for message in messages]


async def until(
    watch: "grpc.aio.UnaryStreamCall[object, analysis_service_pb2.WatchAnalysesResponse]", kind: str
) -> analysis_service_pb2.WatchAnalysesResponse:
    """Return the next message of a kind; analyses as they are once they are done."""
    async with asyncio.timeout(30):
        while True:
            message = await watch.read()
            assert isinstance(message, analysis_service_pb2.WatchAnalysesResponse)
            analysis = message.created if kind == "created" else message.changed
            if message.WhichOneof("change") == kind and (kind in ("deleted", "checkpoint") or analysis.state == DONE):
                return message


async def granted(harness: Harness, person: str) -> Reader:
    await harness.grant(person, "CLOUD_PROCESSING", "LOCATION")
    return await harness.as_person(person)


async def test_a_feed_begins_with_a_snapshot_and_goes_on(harness: Harness, person: str) -> None:
    reader = await granted(harness, person)
    first = await harness.store(person, PORTRAIT, metadata=about())
    await finished(reader, 1)
    watch = reader.watch()
    created = await until(watch, "created")
    assert created.created.media == first.media
    assert created.created.findings.tags
    assert (await until(watch, "checkpoint")).checkpoint.snapshot
    second = await harness.store(person, encode(photo("chelsea")), metadata=about(9))
    assert (await until(watch, "changed")).changed.media == second.media
    await harness.erase(person, first.media)
    assert (await until(watch, "deleted")).deleted == f"{first.media}/analysis"
    watch.cancel()


async def test_a_device_goes_on_from_what_it_acknowledged(harness: Harness, person: str) -> None:
    reader = await granted(harness, person)
    await harness.store(person, PORTRAIT, metadata=about())
    await finished(reader, 1)
    before = await reader.changes(device=PHONE)
    assert told(before) == ["created", "checkpoint"]
    await reader.acknowledge(PHONE.upper().replace("DEVICES", "devices"), before[-1].cursor)
    again = await reader.changes(device=PHONE)
    assert (told(again), again[0].checkpoint.snapshot) == (["checkpoint"], False)
    stored = await harness.store(person, encode(photo("chelsea")), metadata=about(9))
    await finished(reader, 2)
    later = await reader.changes(device=PHONE)
    assert (told(later), later[0].created.media) == (["created", "checkpoint"], stored.media)
    assert told(await reader.changes(cursor=later[0].cursor)) == ["checkpoint"]
    assert told(await reader.changes(device=f"devices/{uuid4()}")) == ["created", "created", "checkpoint"]


async def test_what_is_withdrawn_leaves_the_feed(harness: Harness, person: str) -> None:
    reader = await granted(harness, person)
    await harness.store(person, PORTRAIT, metadata=about())
    await finished(reader, 1)
    watch = reader.watch()
    assert (await until(watch, "created")).created.findings.HasField("position")
    await harness.withdraw(person, "LOCATION")
    assert not (await until(watch, "changed")).changed.findings.HasField("position")
    watch.cancel()


async def test_a_feed_ends_with_the_consent(harness: Harness, person: str) -> None:
    reader = await granted(harness, person)
    await harness.store(person, PORTRAIT, metadata=about())
    await finished(reader, 1)
    watch = reader.watch()
    await until(watch, "checkpoint")
    await harness.withdraw(person, "CLOUD_PROCESSING")
    await until(watch, "deleted")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await until(watch, "checkpoint")
    assert read_error(refused.value).reason == "PURPOSE_NOT_GRANTED"


async def test_without_consent_there_is_no_feed(harness: Harness, person: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (await harness.as_person(person)).changes()
    assert read_error(refused.value).reason == "PURPOSE_NOT_GRANTED"


async def test_a_cursor_or_a_device_that_is_none_is_a_field_violation(harness: Harness, person: str) -> None:
    reader = await granted(harness, person)
    for request in ({"cursor": "nonsense"}, {"device": "phone"}):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reader.changes(**request)
        found = read_error(refused.value)
        assert (found.reason, [each.field for each in found.violations]) == ("FIELD_INVALID", list(request))
    assert await reason(reader.acknowledge("phone", "")) == "FIELD_INVALID"
    assert await reason(reader.acknowledge(PHONE, "nonsense")) == "FIELD_INVALID"
