"""Domain errors on the wire: `google.rpc.Status` in the trailing metadata, and back again for clients."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import grpc
import psycopg
import psycopg_pool
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from services.chassis.calls import current_call
from services.chassis.errors import (
    DeadlineExceeded,
    DependencyUnavailable,
    DomainError,
    FieldViolation,
    InternalError,
    Status,
)

STATUS_TRAILER = "grpc-status-details-bin"
_MAX_MESSAGE_BYTES = 1000
"""Of a message, percent-encoded as gRPC sends it; a client takes no more than 8 KiB of trailers altogether."""
_MAX_METADATA_CHARACTERS = 128
"""Of one value of the metadata: longer is only what a caller sent itself."""
_MAX_VIOLATIONS_BYTES = 2500
"""Of all violations together; the first ones go out, and the client finds the rest when those are right."""
_OUTAGES = frozenset({Status.UNAVAILABLE, Status.DEADLINE_EXCEEDED})


@dataclass(frozen=True)
class RemoteError:
    """What another service said about a failed call.

    Attributes:
        reason: ErrorReason without its prefix; empty when the answer bears none.
        domain: Who said so, such as `retention.pellicule`.
        message: For a developer; holds no personal data.
        metadata: Further facts, by name.
        violations: The fields of the request that are wrong.
    """

    reason: str
    domain: str
    message: str
    metadata: Mapping[str, str]
    violations: tuple[FieldViolation, ...] = ()


def status_code(error: DomainError) -> grpc.StatusCode:
    """Return the gRPC code of a domain error."""
    return grpc.StatusCode[error.status.name]


def sent_message(error: DomainError) -> str:
    """Return as much of a message as the trailers hold, whatever the caller's own words in it."""
    message = error.message[:_MAX_MESSAGE_BYTES]
    used = accumulate(_encoded_size(character) for character in message)
    return message[: sum(size <= _MAX_MESSAGE_BYTES for size in used)]


def status_details(error: DomainError, domain: str) -> bytes:
    """Return the serialised `google.rpc.Status` of a domain error.

    Args:
        error: What happened.
        domain: `<service>.pellicule`.
    """
    metadata = {name: value[:_MAX_METADATA_CHARACTERS] for name, value in error.metadata.items()}
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=error.reason, domain=domain, metadata=metadata)]
    if error.violations:
        details.append(_bad_request(error))
    if error.quota is not None:
        violation = error_details_pb2.QuotaFailure.Violation(**vars(error.quota))
        details.append(error_details_pb2.QuotaFailure(violations=[violation]))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromTimedelta(error.retry_after)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(
        code=status_code(error).value[0],
        message=sent_message(error),
        details=[_packed(detail) for detail in details],
    )
    return bytes(status.SerializeToString())


def read_error(error: grpc.aio.AioRpcError) -> RemoteError:
    """Return what a failed call's answer says."""
    message = error.details() or ""
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in _received_status(error).details:
        for known in (info, request):
            if detail.Is(known.DESCRIPTOR):
                detail.Unpack(known)
    violations = tuple(FieldViolation(each.field, each.description) for each in request.field_violations)
    return RemoteError(info.reason, info.domain, message, dict(info.metadata), violations)


def as_domain_error(error: Exception) -> DomainError:
    """Return what the caller may know of any failure.

    A store or service that does not answer is UNAVAILABLE, a deadline downstream is the caller's own, and
    everything else is INTERNAL with no word about the cause.
    """
    if isinstance(error, DomainError):
        return error
    if isinstance(error, psycopg.OperationalError | psycopg_pool.PoolTimeout):
        return DependencyUnavailable.of("database")
    if isinstance(error, grpc.aio.AioRpcError):
        return _of_downstream(error)
    return _internal()


def is_outage(error: Exception) -> bool:
    """Tell whether something else that does not answer is to blame: the same may work later."""
    return as_domain_error(error).status in _OUTAGES


def failure_reason(error: Exception) -> str:
    """Return the word for a failure: its ErrorReason, or the name of its type."""
    return error.reason if isinstance(error, DomainError) else type(error).__name__


def _of_downstream(error: grpc.aio.AioRpcError) -> DomainError:
    # A server that stops cancels what it has not come to; a call that is given up here is no error but a cancellation.
    if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        return DependencyUnavailable.of(read_error(error).domain.partition(".")[0] or "another service")
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("a service that this call needs took too long: give the call more time")
    return _internal()


def _internal() -> InternalError:
    call = current_call()
    return InternalError(
        "the service failed; its log has the details under this request id",
        metadata={} if call is None else {"request_id": call.request_id},
    )


def _bad_request(error: DomainError) -> error_details_pb2.BadRequest:
    request = error_details_pb2.BadRequest()
    for each in error.violations:
        request.field_violations.add(field=each.field, description=each.description)
        if request.ByteSize() > _MAX_VIOLATIONS_BYTES:
            del request.field_violations[-1]
            break
    return request


def _encoded_size(character: str) -> int:
    return 1 if " " <= character <= "~" else 3 * len(character.encode(errors="replace"))


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def _received_status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    raw = (error.trailing_metadata() or {}).get(STATUS_TRAILER)
    try:
        return status_pb2.Status.FromString(raw) if isinstance(raw, bytes) else status_pb2.Status()
    except DecodeError:
        return status_pb2.Status()
