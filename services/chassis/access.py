"""Access tables: the callers that may use each RPC; one table per service, and no row means no."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from services.chassis.errors import CallerNotAllowed, TokenMissing
from services.chassis.principal import Anonymous, Auditor, Operator, Person, Principal, Service


class Caller(StrEnum):
    """The kinds of callers; `ANYONE` needs no identity."""

    PERSON = "person"
    SERVICE = "service"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ANYONE = "anyone"


@dataclass(frozen=True)
class ServiceNamed:
    """Grants one service, by the name in its certificate."""

    name: str


Grant: TypeAlias = Caller | ServiceNamed


class Polled(frozenset[Grant]):
    """Grants of an RPC that is called by the clock, day and night: a good answer to it is no news for the log."""


AccessTable: TypeAlias = Mapping[str, frozenset[Grant]]
"""Full RPC name, such as `/pellicule.ingest.v1.MediaService/GetMedia`, to who may call it.

`Caller.PERSON` means a person's own token. A service that acts for a person is still a service and wants a
grant of its own: no service gets everyone's rights by naming them.
"""

OPEN_ON_EVERY_SERVER: AccessTable = {
    "/grpc.health.v1.Health/Check": Polled({Caller.ANYONE}),
    "/grpc.health.v1.Health/Watch": frozenset({Caller.ANYONE}),
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": frozenset({Caller.ANYONE}),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": frozenset({Caller.ANYONE}),
}
"""Rows that the chassis adds to every table."""

_KINDS: Mapping[type[Principal], Caller] = {
    Person: Caller.PERSON,
    Service: Caller.SERVICE,
    Operator: Caller.OPERATOR,
    Auditor: Caller.AUDITOR,
    Anonymous: Caller.ANYONE,
}


def caller_kind(principal: Principal) -> Caller:
    """Return the kind of a caller, for access decisions and for the call log."""
    return _KINDS[type(principal)]


def needs_identity(table: AccessTable, method: str) -> bool:
    """Tells whether a call of `method` must show who makes it."""
    return Caller.ANYONE not in table.get(method, frozenset())


def check_access(table: AccessTable, method: str, principal: Principal) -> None:
    """Lets the call pass or raises.

    Args:
        table: The service's table.
        method: Full RPC name with its leading slash.
        principal: Who calls.

    Raises:
        TokenMissing: the call shows no identity and the RPC wants one.
        CallerNotAllowed: the identity shown has no grant for this RPC, or the RPC has no row.
    """
    grants = table.get(method, frozenset())
    if not grants.isdisjoint(_grants_held(principal)):
        return
    if isinstance(principal, Anonymous):
        raise TokenMissing("send the metadata `authorization: Bearer <token>`")
    allowed = ", ".join(sorted(map(_grant_name, grants))) or "none"
    raise CallerNotAllowed(
        f"{method} is open to: {allowed}; this caller is: {caller_kind(principal)}",
        metadata={"method": method, "caller": str(caller_kind(principal))},
    )


def _grants_held(principal: Principal) -> set[Grant]:
    held: set[Grant] = {Caller.ANYONE, caller_kind(principal)}
    if isinstance(principal, Service):
        held.add(ServiceNamed(principal.name))
    return held


def _grant_name(grant: Grant) -> str:
    return f"service {grant.name}" if isinstance(grant, ServiceNamed) else str(grant)
