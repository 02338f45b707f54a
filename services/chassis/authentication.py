"""Authentication: a service by its certificate, a person, operator or auditor by their token."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis.access import AccessTable, needs_identity
from services.chassis.calls import Context
from services.chassis.clock import Clock
from services.chassis.errors import FieldInvalid, TokenInvalid
from services.chassis.principal import Anonymous, Auditor, Operator, Person, Principal, Service
from services.chassis.tokens import Claims, SubjectKey, TokenVerifier, subject_pseudonym

SUBJECT_KEY = "pellicule-subject"
"""Metadata with which a service names the person it acts for."""

_AUTHORIZATION_KEY = "authorization"
_SPIFFE_PREFIX = "spiffe://pellicule/"
_MAX_REMEMBERED = 4096
_REMEMBERED_FOR = timedelta(minutes=1)
"""A key taken out of the issuer's set stops working this much later at most, once that is read again."""
_HEX = frozenset("0123456789abcdef")


class Authenticator:
    """Finds out who makes a call.

    A verified client certificate exists only on the internal listener, so the connection alone tells a
    service from a person; what metadata says about a person is believed from services alone.
    """

    def __init__(self, verifier: TokenVerifier, subject_key: SubjectKey, clock: Clock) -> None:
        self._verifier = verifier
        self._subject_key = subject_key
        self._clock = clock
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()

    async def identify(
        self, context: Context, metadata: Mapping[str, str], table: AccessTable, method: str
    ) -> Principal:
        """Return the caller.

        Args:
            context: Of the call; its connection may show a certificate.
            metadata: What the caller sent along.
            table: Who may call what.
            method: Full RPC name with its leading slash.

        Raises:
            TokenInvalid: a token that is none of ours, or a certificate without a service's name.
            TokenExpired: a token whose time is over.
            FieldInvalid: a malformed pseudonym.
            DependencyUnavailable: the issuer's keys cannot be read.
        """
        service = _service_name(context)
        if service is not None:
            return Service(service, _acting_for(metadata))
        authorization = metadata.get(_AUTHORIZATION_KEY)
        if authorization is None or not needs_identity(table, method):
            return Anonymous()
        return await self._of_token(_bearer(authorization))

    async def _of_token(self, token: str) -> Principal:
        digest, now = hashlib.sha256(token.encode()).digest(), self._clock.now()
        remembered = self._remembered.get(digest)
        if remembered is None or remembered.until <= now:
            claims = await self._verifier.verify(token)
            until = min(claims.expires, now + _REMEMBERED_FOR)
            remembered = self._remembered[digest] = _Remembered(_principal(claims, self._subject_key), until)
            if len(self._remembered) > _MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return remembered.principal


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A token that was checked: the signature costs more than the rest of the chain."""

    principal: Principal
    until: datetime


def _principal(claims: Claims, subject_key: SubjectKey) -> Principal:
    match claims.role:
        case "operator":
            return Operator(claims.subject, claims.expires)
        case "auditor":
            return Auditor(claims.subject, claims.expires)
        case None:
            return Person(subject_pseudonym(subject_key.key, claims.issuer, claims.subject), claims.expires)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenInvalid("send the metadata `authorization: Bearer <token>`")
    return token


def _service_name(context: Context) -> str | None:
    """Return the name in the verified client certificate; None when there is no certificate."""
    peer = context.auth_context()
    if "x509_pem_cert" not in peer:
        return None
    for spiffe_id in peer.get("peer_spiffe_id", ()):
        name = spiffe_id.decode("ascii", "replace")
        if name.startswith(_SPIFFE_PREFIX):
            return name.removeprefix(_SPIFFE_PREFIX)
    raise TokenInvalid("the client certificate names no service: it needs the SAN spiffe://pellicule/<service>")


def _acting_for(metadata: Mapping[str, str]) -> str | None:
    subject = metadata.get(SUBJECT_KEY)
    if subject is not None and (len(subject) != 32 or not _HEX.issuperset(subject)):
        raise FieldInvalid.of(SUBJECT_KEY, "send the person's pseudonym: 32 hex characters, lower case")
    return subject
