"""Channels to other services: mTLS, retries, keepalive, and the running call's deadline and trace.

When the certificate is renewed, calls go on under the new one (`certificates.channel`).

A call without a timeout of its own gets what is left of the deadline of the RPC that makes it, less
`RETURN_OVERHEAD`; outside an RPC it gets `DEFAULT_DEADLINE`. A stream of responses outside an RPC may go on
for as long as both sides live.
"""

import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeAlias, TypeVar

import grpc

from services.chassis.authentication import SUBJECT_KEY
from services.chassis.calls import current_call, seconds_left
from services.chassis.certificates.channel import LongStreams, RenewingChannel
from services.chassis.certificates.renewal import Certificates
from services.chassis.held_connections import check_none_is_held
from services.chassis.interceptors import REQUEST_ID_KEY, RETURN_OVERHEAD
from services.chassis.limits import MAX_MESSAGE_BYTES
from services.chassis.telemetry.spans import inject_trace
from services.chassis.tls import client_credentials

DEFAULT_DEADLINE = 10.0
"""Seconds that a call gets when neither it nor the RPC around it says anything."""

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")
Requests: TypeAlias = AsyncIterable[RequestT] | Iterable[RequestT]
Details: TypeAlias = grpc.aio.ClientCallDetails

# A name may stand for many servers: calls take turns at all of them, and leave out those that are away.
# UNAVAILABLE alone: the request was not processed, or the caller must be idempotent anyway. Five attempts
# bridge the restart of a service (about 3 s).
_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)


def open_channel(target: str, certificates: Certificates, *, service: str) -> grpc.aio.Channel:
    """Open a channel to the internal listener of another service.

    Args:
        target: `host:port`.
        certificates: This service's own certificate.
        service: Name of the service that must answer there; its certificate is checked for it.

    Returns:
        A channel to close, or to use as an async context manager.
    """

    def connect(streams: LongStreams) -> grpc.aio.Channel:
        credentials = client_credentials(certificates.own.current)
        return grpc.aio.secure_channel(
            target, credentials, options=_options(service), interceptors=_interceptors(streams)
        )

    return RenewingChannel(connect, certificates.own, certificates.clock)


def acting_for(subject: str) -> grpc.aio.Metadata:
    """Return the metadata with which a service says for which person (pseudonym) it calls."""
    return grpc.aio.Metadata((SUBJECT_KEY, subject))


def _options(service: str) -> list[tuple[str, str | int]]:
    return [
        ("grpc.ssl_target_name_override", service),
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        # However short the pause before it, an attempt has this long: a busy machine takes its time for a handshake.
        ("grpc.min_reconnect_backoff_ms", 5_000),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # All servers of a name can be new ones within a moment: their addresses are asked for again soon.
        ("grpc.dns_min_time_between_resolutions_ms", 1_000),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]


def _interceptors(streams: LongStreams) -> list[grpc.aio.ClientInterceptor]:
    return [_UnaryUnary(), _UnaryStream(streams), _StreamUnary(), _StreamStream(streams)]


class _UnaryUnary(grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(
        self,
        continuation: Callable[[Details, RequestT], Awaitable[grpc.aio.UnaryUnaryCall[RequestT, ResponseT]]],
        client_call_details: Details,
        request: RequestT,
    ) -> ResponseT | grpc.aio.UnaryUnaryCall[RequestT, ResponseT]:
        return await continuation(_in_context(client_call_details, DEFAULT_DEADLINE), request)


class _UnaryStream(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, streams: LongStreams) -> None:
        self._streams = streams

    async def intercept_unary_stream(
        self,
        continuation: Callable[[Details, RequestT], Awaitable[grpc.aio.UnaryStreamCall[RequestT, ResponseT]]],
        client_call_details: Details,
        request: RequestT,
    ) -> AsyncIterator[ResponseT] | grpc.aio.UnaryStreamCall[RequestT, ResponseT]:
        details = _in_context(client_call_details, None)
        call = await continuation(details, request)
        return self._streams.watched(call) if details.timeout is None else call


class _StreamUnary(grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self,
        continuation: Callable[[Details, Requests[RequestT]], Awaitable[grpc.aio.StreamUnaryCall[RequestT, ResponseT]]],
        client_call_details: Details,
        request_iterator: Requests[RequestT],
    ) -> ResponseT | grpc.aio.StreamUnaryCall[RequestT, ResponseT]:
        return await continuation(_in_context(client_call_details, DEFAULT_DEADLINE), request_iterator)


class _StreamStream(grpc.aio.StreamStreamClientInterceptor):
    def __init__(self, streams: LongStreams) -> None:
        self._streams = streams

    async def intercept_stream_stream(
        self,
        continuation: Callable[
            [Details, Requests[RequestT]], Awaitable[grpc.aio.StreamStreamCall[RequestT, ResponseT]]
        ],
        client_call_details: Details,
        request_iterator: Requests[RequestT],
    ) -> AsyncIterator[ResponseT] | grpc.aio.StreamStreamCall[RequestT, ResponseT]:
        details = _in_context(client_call_details, None)
        call = await continuation(details, request_iterator)
        return self._streams.watched(call) if details.timeout is None else call


def _in_context(details: Details, default_deadline: float | None) -> Details:
    check_none_is_held(str(details.method))
    return grpc.aio.ClientCallDetails(
        details.method,
        details.timeout if details.timeout is not None else _timeout(default_deadline),
        _metadata(details),
        details.credentials,
        details.wait_for_ready,
    )


def _timeout(default_deadline: float | None) -> float | None:
    left = seconds_left()
    return default_deadline if left is None else max(left - RETURN_OVERHEAD, 0.0)


def _metadata(details: Details) -> grpc.aio.Metadata:
    metadata = grpc.aio.Metadata(*(details.metadata or ()))
    call = current_call()
    carrier: dict[str, Any] = {} if call is None else {REQUEST_ID_KEY: call.request_id}
    inject_trace(carrier)
    for key, value in carrier.items():
        metadata.add(key, value)
    return metadata
