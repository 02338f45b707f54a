"""What must stay true between the protos and the code of retention."""

from pellicule.internal.retention.v1 import purge_order_pb2
from pellicule.retention.v1 import (
    account_pb2,
    data_map_pb2,
    erasure_pb2,
    error_reason_pb2,
)
from pellicule.type.v1 import purpose_pb2
from services.chassis.errors import DomainError
from services.keyring import errors as keyring_errors
from services.retention.domain.account import AccountDeletionState
from services.retention.domain.data_map import KINDS
from services.retention.domain.erasure import ErasureState
from services.retention.domain.keys import Purpose
from services.retention.domain.orders import PurgeCause


def test_the_keyring_knows_only_reasons_that_retention_has() -> None:
    reasons = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name}
    assert {error.reason for error in errors_of(keyring_errors)} <= reasons


def test_the_domain_has_the_purposes_of_the_contract() -> None:
    assert {f"PURPOSE_{purpose}" for purpose in Purpose} | {"PURPOSE_UNSPECIFIED"} == set(
        purpose_pb2.Purpose.DESCRIPTOR.values_by_name
    )


def test_the_domain_knows_every_value_of_the_contracts() -> None:
    assert names(erasure_pb2.ErasureState) == [f"ERASURE_STATE_{state}" for state in ErasureState]
    assert names(account_pb2.AccountDeletionState) == [
        f"ACCOUNT_DELETION_STATE_{state}" for state in AccountDeletionState
    ]
    assert {f"PURGE_CAUSE_{cause}" for cause in PurgeCause} <= set(names(purge_order_pb2.PurgeCause))
    assert sorted(names(data_map_pb2.DataStoreKind)) == sorted(f"DATA_STORE_KIND_{kind.upper()}" for kind in KINDS)


def names(enum: object) -> list[str]:
    return list(enum.keys()[1:])  # type: ignore[attr-defined]


def errors_of(module: object) -> list[type[DomainError]]:
    found = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, DomainError)]
    return [error for error in found if error is not DomainError]
