"""Principal: the caller, decided once at the door and known everywhere inside the call."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from services.chassis.errors import CallerNotAllowed


@dataclass(frozen=True)
class Person:
    """Somebody with a token.

    Attributes:
        subject: Pseudonym, 32 hex characters (`tokens.subject_pseudonym`).
        expire_time: Of the token that was shown; the person is the same with the next one.
    """

    subject: str
    expire_time: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Service:
    """Another service, known by its certificate.

    Attributes:
        name: The last part of its SPIFFE id, such as `analysis`.
        acting_for: Pseudonym of the person it works for, if it said so.
    """

    name: str
    acting_for: str | None = None


@dataclass(frozen=True)
class Operator:
    """A person who runs the system; sees no one's pictures."""

    name: str
    expire_time: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Auditor:
    """A person who checks the system from outside."""

    name: str
    expire_time: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Anonymous:
    """A caller of the few RPCs that are open to anyone and who showed no identity."""


Principal: TypeAlias = Person | Service | Operator | Auditor | Anonymous

_principal: ContextVar[Principal] = ContextVar("principal")


def current_principal() -> Principal:
    """Return the caller of the RPC that is running.

    Raises:
        LookupError: outside an RPC.
    """
    return _principal.get()


def current_subject() -> str:
    """Return the pseudonym of the person this RPC is for.

    Raises:
        CallerNotAllowed: the caller is no person and acts for none.
        LookupError: outside an RPC.
    """
    principal = _principal.get()
    if isinstance(principal, Person):
        return principal.subject
    if isinstance(principal, Service) and principal.acting_for is not None:
        return principal.acting_for
    raise CallerNotAllowed("this call is about a person: call with a person's token, or act for one")


def current_expire_time() -> datetime | None:
    """Return when the token of the RPC's caller ends; None for a caller without one, and outside an RPC."""
    principal = _principal.get(None)
    return principal.expire_time if isinstance(principal, Person | Operator | Auditor) else None


def enter_principal(principal: Principal) -> None:
    """Make `principal` the caller for the rest of the current asyncio task.

    The authentication interceptor calls it; every RPC runs in a task of its own, so nothing is restored.
    """
    _principal.set(principal)
