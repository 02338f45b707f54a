"""The program as it is started: `python -m services.consent`."""

from typing import Any, cast

import grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from deploy.local.parts.lifecycle import running
from pellicule.consent.v1 import notice_service_pb2, notice_service_pb2_grpc
from tests.fakes.ports import free_port
from tests.integration.consent.harness import Harness, Retention


async def test_it_starts_publishes_its_notices_and_can_be_called_by_reflection_alone(
    harness: Harness, running_retention: Retention
) -> None:
    process = harness.service_process(
        "consent", public_address=f"127.0.0.1:{free_port()}", internal_address=f"127.0.0.1:{free_port()}"
    )
    credentials = grpc.ssl_channel_credentials(harness.authority.issue("phone").ca.read_bytes())
    async with running(process), grpc.aio.secure_channel(process.address, credentials) as channel:
        notices = notice_service_pb2_grpc.NoticeServiceStub(channel)
        notice = (await notices.GetNotice(notice_service_pb2.GetNoticeRequest(name="notices/current"))).notice

        stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast("grpc.Channel", channel))
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([ask]))]

    services = {service.name for service in answers[0].list_services_response.service}
    assert {"pellicule.consent.v1.ConsentService", "pellicule.consent.v1.NoticeService"} <= services
    assert notice.current
