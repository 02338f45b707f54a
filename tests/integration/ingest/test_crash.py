"""A process that dies in the middle of an upload, and another that goes on."""

import asyncio

from deploy.local.parts.lifecycle import bring_up
from pellicule.ingest.v1 import media_service_pb2, media_service_pb2_grpc
from services.chassis.seal import CHUNK_SIZE
from tests.integration.eventually import eventually
from tests.integration.ingest.harness import CALL_SECONDS, Harness, Phone, start_request
from tests.integration.ingest.test_media_service import LARGE, waiting_messages
from tests.unit.ingest.harness import pieces


async def test_what_a_killed_process_committed_another_goes_on_with(harness: Harness, phone: Phone) -> None:
    upload = await phone.start(start_request(LARGE))
    killed = await bring_up(harness.service("ingest", {"SEGMENT_BYTES": str(CHUNK_SIZE)}, suffix="-2"))
    committed = 0

    async def two_chunks_are_committed() -> bool:
        nonlocal committed
        request = media_service_pb2.GetUploadRequest(name=upload.name)
        reply = await phone.stub.GetUpload(request, metadata=phone.headers, timeout=CALL_SECONDS)
        committed = reply.upload.committed_size_bytes
        return committed >= 2 * CHUNK_SIZE

    try:
        async with harness.public("ingest-2") as channel:
            call = media_service_pb2_grpc.MediaServiceStub(channel).UploadMedia(
                waiting_messages(upload.name, LARGE[: 3 * CHUNK_SIZE], asyncio.Event()),
                metadata=phone.headers,
                timeout=CALL_SECONDS,
            )
            await call.wait_for_connection()
            await eventually(two_chunks_are_committed)
            killed.kill()
            assert await killed.exited(10)
    finally:
        await killed.stop()
    await two_chunks_are_committed()  # the third may have been committed between the look and the kill
    reply = await phone.send(upload.name, *pieces(LARGE[committed:]), offset=committed)
    assert await phone.read(reply.media.name) == LARGE
