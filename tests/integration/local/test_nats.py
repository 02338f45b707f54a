import asyncio
from pathlib import Path

import nats
import nats.errors
import pytest

from deploy.local.parts.nats import nats_server

STREAM = "INGEST"
SUBJECT = "pellicule.internal.ingest.v1.MediaStored"


async def ignore(error: Exception) -> None:
    """Pass the error over: the call's own failure says it all."""


async def test_an_event_reaches_another_service(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        ingest = await nats.connect(server.url("ingest"))
        analysis = await nats.connect(server.url("analysis"))
        await ingest.jetstream().add_stream(name=STREAM, subjects=["pellicule.internal.ingest.v1.>"])
        await ingest.jetstream().publish(SUBJECT, b"event")
        subscription = await analysis.jetstream().pull_subscribe(SUBJECT, durable="analysis", stream=STREAM)
        (message,) = await subscription.fetch(1, timeout=5)
        await message.ack_sync()
        await ingest.close()
        await analysis.close()
    assert message.data == b"event"


async def test_a_service_cannot_publish_the_events_of_another(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        ingest = await nats.connect(server.url("ingest"))
        await ingest.jetstream().add_stream(name=STREAM, subjects=["pellicule.internal.ingest.v1.>"])
        analysis = await nats.connect(server.url("analysis"), error_cb=ignore)
        with pytest.raises(nats.errors.TimeoutError):
            await analysis.jetstream(timeout=0.5).publish(SUBJECT, b"forged")
        info = await ingest.jetstream().stream_info(STREAM)
        await ingest.close()
        await analysis.close()
    assert info.state.messages == 0


async def test_a_service_cannot_delete_the_stream_of_another(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        ingest = await nats.connect(server.url("ingest"))
        await ingest.jetstream().add_stream(name=STREAM, subjects=["pellicule.internal.ingest.v1.>"])
        analysis = await nats.connect(server.url("analysis"), error_cb=ignore)
        with pytest.raises(nats.errors.TimeoutError):
            await analysis.jetstream(timeout=0.5).delete_stream(STREAM)
        info = await ingest.jetstream().stream_info(STREAM)
        await ingest.close()
        await analysis.close()
    assert info.config.name == STREAM


async def test_nobody_connects_without_a_password(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        host, port = server.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await reader.readline()
        writer.write(b"CONNECT {}\r\nPING\r\n")
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert b"Authorization Violation" in answer
