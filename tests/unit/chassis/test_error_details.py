import base64
from datetime import timedelta
from urllib.parse import quote

import grpc
import psycopg
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from services.chassis.calls import Call, enter_call
from services.chassis.error_details import (
    STATUS_TRAILER,
    as_domain_error,
    read_error,
    sent_message,
    status_code,
    status_details,
)
from services.chassis.errors import (
    CHASSIS_ERRORS,
    DependencyUnavailable,
    DomainError,
    FieldInvalid,
    FieldViolation,
    Status,
)


class QuotaReached(DomainError):
    status = Status.RESOURCE_EXHAUSTED
    reason = "QUOTA_REACHED"


def details(error: DomainError) -> tuple[status_pb2.Status, list[Message]]:
    status = status_pb2.Status.FromString(status_details(error, "ingest.pellicule"))
    kinds: list[type[Message]] = [
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.RetryInfo,
    ]
    found: list[Message] = []
    for packed in status.details:
        kind = next(kind for kind in kinds if packed.Is(kind.DESCRIPTOR))
        message = kind()
        packed.Unpack(message)
        found.append(message)
    return status, found


def aio_error(code: grpc.StatusCode, trailers: grpc.aio.Metadata | None = None) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers or grpc.aio.Metadata(), "message")


def test_an_error_names_its_reason_and_domain() -> None:
    status, found = details(QuotaReached("full", metadata={"limit": "3"}))
    info = error_details_pb2.ErrorInfo(reason="QUOTA_REACHED", domain="ingest.pellicule", metadata={"limit": "3"})
    assert (status.code, status.message, found) == (8, "full", [info])


def test_a_bad_field_comes_with_its_violation() -> None:
    _, found = details(FieldInvalid.of("items[3].sha256", "send 32 bytes"))
    assert isinstance(found[1], error_details_pb2.BadRequest)
    violation = found[1].field_violations[0]
    assert (violation.field, violation.description) == ("items[3].sha256", "send 32 bytes")


def test_what_would_outgrow_the_trailers_is_left_out_of_the_violations() -> None:
    error = FieldInvalid.all([FieldViolation(f"assets[{place}].sha256", "send 32 bytes") for place in range(1000)])
    _, found = details(error)
    assert isinstance(found[1], error_details_pb2.BadRequest)
    assert found[1].field_violations[0].field == "assets[0].sha256"
    assert len(status_details(error, "ingest.pellicule")) < 4500


def test_a_client_reads_every_violation() -> None:
    violations = (FieldViolation("name", "send one"), FieldViolation("size", "send less"))
    trailers = grpc.aio.Metadata((STATUS_TRAILER, status_details(FieldInvalid.all(violations), "ingest.pellicule")))
    assert read_error(aio_error(grpc.StatusCode.INVALID_ARGUMENT, trailers)).violations == violations


def test_a_time_to_retry_comes_along() -> None:
    _, found = details(DependencyUnavailable("down", retry_after=timedelta(seconds=1.5)))
    assert isinstance(found[1], error_details_pb2.RetryInfo)
    assert found[1].retry_delay.ToTimedelta() == timedelta(seconds=1.5)


def test_an_endless_message_is_cut_to_fit_the_trailer() -> None:
    assert len(status_details(QuotaReached("x" * 100_000), "d")) < 2000


@pytest.mark.parametrize("character", ["x", "\n", "é", "\N{UNICORN FACE}"])
def test_the_trailers_of_any_error_fit_what_every_client_takes(character: str) -> None:
    endless = character * 100_000
    error = FieldInvalid(
        endless,
        metadata={"file_name": endless, "language_code": endless},
        violations=[FieldViolation(f"names[{place}]", "send a name") for place in range(1000)],
    )
    message = "".join(each if each == "x" else quote(each) for each in sent_message(error))
    sent = len(message) + len(base64.b64encode(status_details(error, "suggestion.pellicule")))
    assert 1000 < sent < 8192 - 500


@pytest.mark.parametrize("status", Status)
def test_every_status_is_a_grpc_code(status: Status) -> None:
    error = type("Some", (DomainError,), {"status": status, "reason": "SOME"})("message")
    assert status_code(error).name == status.name


def test_a_client_reads_what_the_service_said() -> None:
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", status_details(QuotaReached("full"), "d")))
    read = read_error(aio_error(grpc.StatusCode.RESOURCE_EXHAUSTED, trailers))
    assert (read.reason, read.domain) == ("QUOTA_REACHED", "d")


@pytest.mark.parametrize("trailer", [b"", b"\xff\xff", b"noise"])
def test_a_client_survives_a_trailer_that_is_noise(trailer: bytes) -> None:
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", trailer))
    assert read_error(aio_error(grpc.StatusCode.INTERNAL, trailers)).reason == ""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("the secret"), "INTERNAL"),
        (psycopg.OperationalError("connection to secret-host failed"), "DEPENDENCY_UNAVAILABLE"),
        (psycopg.errors.UniqueViolation("the secret"), "INTERNAL"),
        (aio_error(grpc.StatusCode.UNAVAILABLE), "DEPENDENCY_UNAVAILABLE"),
        (aio_error(grpc.StatusCode.CANCELLED), "DEPENDENCY_UNAVAILABLE"),
        (aio_error(grpc.StatusCode.DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED"),
        (aio_error(grpc.StatusCode.NOT_FOUND), "INTERNAL"),
    ],
)
def test_a_failure_from_below_says_nothing_about_itself(error: Exception, reason: str) -> None:
    answer = as_domain_error(error)
    assert answer.reason == reason
    assert "secret" not in answer.message


async def test_a_bug_names_the_request_under_which_the_log_tells_more() -> None:
    enter_call(Call("/s/M", "request-1"))
    assert as_domain_error(RuntimeError()).metadata == {"request_id": "request-1"}


def test_an_outage_names_what_is_away_and_when_to_call_again() -> None:
    error = as_domain_error(psycopg.OperationalError())
    assert (error.metadata, error.retry_after) == ({"dependency": "database"}, timedelta(seconds=1))


def test_the_chassis_reasons_are_the_ones_that_every_package_lists() -> None:
    assert [error.reason for error in CHASSIS_ERRORS] == [
        "FIELD_INVALID",
        "TOKEN_MISSING",
        "TOKEN_INVALID",
        "TOKEN_EXPIRED",
        "CALLER_NOT_ALLOWED",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
        "DEPENDENCY_UNAVAILABLE",
        "MESSAGE_TOO_LARGE",
        "LIMIT_REACHED",
        "STORAGE_FULL",
    ]
