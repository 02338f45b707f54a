from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.access import AccessTable, Caller
from services.chassis.authentication import Authenticator
from services.chassis.calls import Context
from services.chassis.errors import FieldInvalid, TokenExpired, TokenInvalid
from services.chassis.issuer_keys import FileKeys
from services.chassis.principal import Anonymous, Auditor, Operator, Person, Principal, Service
from services.chassis.tokens import (
    Role,
    SubjectKey,
    TokenVerifier,
    jwks_document,
    mint_token,
    subject_pseudonym,
)
from tests.fakes.clock import FakeClock

TABLE: AccessTable = {"/s/M": frozenset({Caller.PERSON}), "/s/Open": frozenset({Caller.ANYONE})}
SUBJECT_KEY = bytes(32)
CERTIFICATE = {"x509_pem_cert": [b"pem"], "peer_spiffe_id": [b"spiffe://pellicule/analysis"]}


class Connection:
    """The part of a call's context that authentication looks at."""

    def __init__(self, peer: Mapping[str, list[bytes]]) -> None:
        self._peer = peer

    def auth_context(self) -> Mapping[str, list[bytes]]:
        return self._peer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def jwks(tmp_path: Path, key: bytes) -> Path:
    file = tmp_path / "jwks.json"
    file.write_text(jwks_document(key))
    return file


@pytest.fixture
def authenticator(jwks: Path, clock: FakeClock) -> Authenticator:
    verifier = TokenVerifier(FileKeys(jwks), issuer="issuer", audience="audience", clock=clock)
    return Authenticator(verifier, SubjectKey(SUBJECT_KEY), clock)


def bearer(key: bytes, clock: FakeClock, role: Role | None = None) -> dict[str, str]:
    ttl = timedelta(minutes=5)
    token = mint_token(key, issuer="issuer", audience="audience", subject="ada", ttl=ttl, role=role, clock=clock)
    return {"authorization": f"Bearer {token}"}


async def identify(
    authenticator: Authenticator,
    metadata: Mapping[str, str],
    peer: Mapping[str, list[bytes]] | None = None,
    method: str = "/s/M",
) -> Principal:
    return await authenticator.identify(cast("Context", Connection(peer or {})), metadata, TABLE, method)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (None, Person(subject_pseudonym(SUBJECT_KEY, "issuer", "ada"))),
        ("operator", Operator("ada")),
        ("auditor", Auditor("ada")),
    ],
)
async def test_a_token_makes_a_person_an_operator_or_an_auditor(
    authenticator: Authenticator, key: bytes, clock: FakeClock, role: Role | None, expected: Principal
) -> None:
    assert await identify(authenticator, bearer(key, clock, role)) == expected


async def test_a_certificate_makes_a_service_whatever_token_comes_along(
    authenticator: Authenticator, key: bytes, clock: FakeClock
) -> None:
    assert await identify(authenticator, bearer(key, clock), CERTIFICATE) == Service("analysis")


async def test_a_service_names_the_person_it_acts_for(authenticator: Authenticator) -> None:
    metadata = {"pellicule-subject": "ab" * 16}
    assert await identify(authenticator, metadata, CERTIFICATE) == Service("analysis", "ab" * 16)


@pytest.mark.parametrize("subject", ["", "ab", "AB" * 16, "g" * 32, "ab" * 17])
async def test_a_malformed_pseudonym_is_refused(authenticator: Authenticator, subject: str) -> None:
    with pytest.raises(FieldInvalid, match="pellicule-subject"):
        await identify(authenticator, {"pellicule-subject": subject}, CERTIFICATE)


@pytest.mark.parametrize("spiffe_id", [None, b"spiffe://elsewhere/analysis", b"\xff"])
async def test_a_certificate_of_no_service_is_refused(authenticator: Authenticator, spiffe_id: bytes | None) -> None:
    peer = {"x509_pem_cert": [b"pem"], "peer_spiffe_id": [] if spiffe_id is None else [spiffe_id]}
    with pytest.raises(TokenInvalid, match="SAN"):
        await identify(authenticator, {}, peer)


async def test_who_shows_nothing_is_anonymous(authenticator: Authenticator) -> None:
    assert await identify(authenticator, {}) == Anonymous()


async def test_a_method_open_to_anyone_does_not_look_at_the_token(authenticator: Authenticator) -> None:
    assert await identify(authenticator, {"authorization": "Bearer nonsense"}, method="/s/Open") == Anonymous()


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "token"])
async def test_an_authorization_that_is_no_bearer_token_is_refused(authenticator: Authenticator, header: str) -> None:
    with pytest.raises(TokenInvalid):
        await identify(authenticator, {"authorization": header})


async def test_a_token_that_was_good_before_is_refused_once_it_has_expired(
    authenticator: Authenticator, key: bytes, clock: FakeClock
) -> None:
    metadata = bearer(key, clock)
    await identify(authenticator, metadata)
    clock.set(clock.now() + timedelta(minutes=5, seconds=5))
    with pytest.raises(TokenExpired):
        await identify(authenticator, metadata)


async def test_a_key_that_was_taken_away_stops_working_within_a_minute(
    authenticator: Authenticator, key: bytes, jwks: Path, clock: FakeClock
) -> None:
    metadata = bearer(key, clock)
    await identify(authenticator, metadata)
    jwks.write_text('{"keys": []}')  # noqa: ASYNC240  # a test's file
    clock.set(clock.now() + timedelta(minutes=1))
    with pytest.raises(TokenInvalid):
        await identify(authenticator, metadata)


async def test_many_tokens_do_not_fill_the_memory(
    authenticator: Authenticator, key: bytes, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.authentication._MAX_REMEMBERED", 2)
    for _ in range(5):
        clock.set(clock.now() + timedelta(seconds=1))
        await identify(authenticator, bearer(key, clock))
    assert len(authenticator._remembered) == 2
