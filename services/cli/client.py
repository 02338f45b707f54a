"""Person's connection to the services of a stack: TLS, their token, and a stub for each service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import grpc

from pellicule.analysis.v1 import analysis_service_pb2_grpc
from pellicule.consent.v1 import consent_service_pb2_grpc, notice_service_pb2_grpc
from pellicule.ingest.v1 import device_service_pb2_grpc, media_service_pb2_grpc
from pellicule.retention.v1 import account_service_pb2_grpc, retention_service_pb2_grpc
from pellicule.suggestion.v1 import suggestion_service_pb2_grpc

SHORT_CALL_SECONDS = 30.0
LONG_CALL_SECONDS = 300.0
CHUNK_SIZE = 1 << 20
PAGE_SIZE = 500
_OPTIONS = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 4 << 20),
    ("grpc.keepalive_time_ms", 30_000),
)

Headers = tuple[tuple[str, str], ...]


class _Page(Protocol):
    next_page_token: str


class _PageRequest(Protocol):
    page_token: str


_Reply = TypeVar("_Reply", bound=_Page)


@dataclass(frozen=True)
class Access:
    """What a person needs to call a stack.

    Attributes:
        addresses: Of each service; with `http://` before it of one that is called in clear, behind what ends TLS.
        ca_certificate: The authority's, in PEM; None for the public ones that the system knows.
        token: The person's.
        stack_runs: Says whether the stack is there at all, and not only one of its parts is away.
    """

    addresses: Mapping[str, str]
    ca_certificate: bytes | None
    token: str
    stack_runs: Callable[[], bool]


@dataclass(frozen=True)
class Services:
    """The stubs, the metadata that says who calls, and whether their stack is there."""

    notice: notice_service_pb2_grpc.NoticeServiceStub
    consent: consent_service_pb2_grpc.ConsentServiceStub
    media: media_service_pb2_grpc.MediaServiceStub
    devices: device_service_pb2_grpc.DeviceServiceStub
    analysis: analysis_service_pb2_grpc.AnalysisServiceStub
    suggestion: suggestion_service_pb2_grpc.SuggestionServiceStub
    retention: retention_service_pb2_grpc.RetentionServiceStub
    account: account_service_pb2_grpc.AccountServiceStub
    headers: Headers
    stack_runs: Callable[[], bool]


@asynccontextmanager
async def connect(access: Access) -> AsyncIterator[Services]:
    """Open a channel to each service for the length of the block."""
    async with AsyncExitStack() as stack:
        credentials = grpc.ssl_channel_credentials(access.ca_certificate)
        channel = {
            name: await stack.enter_async_context(_channel(address, credentials))
            for name, address in access.addresses.items()
        }
        yield Services(
            notice=notice_service_pb2_grpc.NoticeServiceStub(channel["consent"]),
            consent=consent_service_pb2_grpc.ConsentServiceStub(channel["consent"]),
            media=media_service_pb2_grpc.MediaServiceStub(channel["ingest"]),
            devices=device_service_pb2_grpc.DeviceServiceStub(channel["ingest"]),
            analysis=analysis_service_pb2_grpc.AnalysisServiceStub(channel["analysis"]),
            suggestion=suggestion_service_pb2_grpc.SuggestionServiceStub(channel["suggestion"]),
            retention=retention_service_pb2_grpc.RetentionServiceStub(channel["retention"]),
            account=account_service_pb2_grpc.AccountServiceStub(channel["retention"]),
            headers=(("authorization", f"Bearer {access.token}"),),
            stack_runs=access.stack_runs,
        )


def _channel(address: str, credentials: grpc.ChannelCredentials) -> grpc.aio.Channel:
    if address.startswith("http://"):
        return grpc.aio.insecure_channel(address.removeprefix("http://"), _OPTIONS)
    return grpc.aio.secure_channel(address.removeprefix("https://"), credentials, _OPTIONS)


async def pages(
    services: Services, call: Callable[..., Awaitable[_Reply]], request: _PageRequest
) -> AsyncIterator[_Reply]:
    """Yield every page of a list, from the first to the last."""
    while True:
        reply = await call(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
        yield reply
        if not reply.next_page_token:
            return
        request.page_token = reply.next_page_token
