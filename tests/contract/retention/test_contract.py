"""What must stay true between the protos and the code of retention."""

import pytest

from pellicule.analysis.v1 import purpose_pb2 as analysis_purpose
from pellicule.consent.v1 import purpose_pb2 as consent_purpose
from pellicule.ingest.v1 import purpose_pb2 as ingest_purpose
from pellicule.retention.v1 import (
    error_reason_pb2,
    key_service_pb2,
    purge_service_pb2,
    purpose_pb2,
    retention_service_pb2,
)
from services.chassis.errors import CHASSIS_ERRORS, DomainError
from services.keyring import errors as keyring_errors
from services.retention import errors
from services.retention.access import ACCESS
from services.retention.domain.keys import Purpose

FILES = (key_service_pb2, purge_service_pb2, retention_service_pb2)


def test_the_access_table_has_a_row_for_every_rpc_and_no_other() -> None:
    rpcs = {
        f"/{service.full_name}/{method.name}"
        for file in FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert set(ACCESS) == rpcs


def test_every_error_reason_is_raised_somewhere_and_no_other_is() -> None:
    reasons = {
        name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
    } - {"UNSPECIFIED"}
    raised = {error.reason for error in (*CHASSIS_ERRORS, *errors_of(errors))}
    assert reasons == raised


def test_the_keyring_knows_only_reasons_that_retention_has() -> None:
    reasons = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name}
    assert {error.reason for error in errors_of(keyring_errors)} <= reasons


def test_the_domain_has_the_purposes_of_the_contract() -> None:
    assert {f"PURPOSE_{purpose}" for purpose in Purpose} | {"PURPOSE_UNSPECIFIED"} == set(
        purpose_pb2.Purpose.DESCRIPTOR.values_by_name
    )


@pytest.mark.parametrize("other", [analysis_purpose, consent_purpose, ingest_purpose])
def test_purposes_have_the_same_names_and_numbers_in_every_package(other: object) -> None:
    assert dict(other.Purpose.items()) == dict(purpose_pb2.Purpose.items())  # type: ignore[attr-defined]


def errors_of(module: object) -> list[type[DomainError]]:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, DomainError)]
    return [error for error in found if error is not DomainError]
