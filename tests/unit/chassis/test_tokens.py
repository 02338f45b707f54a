import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.chassis.errors import TokenExpired, TokenInvalid
from services.chassis.issuer_keys import FileKeys
from services.chassis.tokens import (
    Role,
    SubjectKey,
    TokenVerifier,
    jwks_document,
    mint_token,
    subject_pseudonym,
)
from tests.fakes.clock import FakeClock

ISSUER, AUDIENCE = "issuer", "audience"
TTL = timedelta(minutes=5)


def new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def key() -> bytes:
    return new_key()


@pytest.fixture
def jwks(tmp_path: Path, key: bytes) -> Path:
    file = tmp_path / "jwks.json"
    file.write_text(jwks_document(key))
    return file


@pytest.fixture
def verifier(jwks: Path, clock: FakeClock) -> TokenVerifier:
    return TokenVerifier(FileKeys(jwks), issuer=ISSUER, audience=AUDIENCE, clock=clock)


def put(file: Path, content: str) -> None:
    file.write_text(content)


def mint(
    key: bytes,
    clock: FakeClock,
    *,
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
    ttl: timedelta = TTL,
    role: Role | None = None,
) -> str:
    return mint_token(key, issuer=issuer, audience=audience, subject="ada", ttl=ttl, role=role, clock=clock)


async def test_a_token_says_who_it_is_for(verifier: TokenVerifier, key: bytes, clock: FakeClock) -> None:
    claims = await verifier.verify(mint(key, clock))
    assert (claims.issuer, claims.subject, claims.role, claims.expires) == (ISSUER, "ada", None, clock.now() + TTL)


@pytest.mark.parametrize("role", ["operator", "auditor"])
async def test_a_token_says_the_role(verifier: TokenVerifier, key: bytes, clock: FakeClock, role: Role) -> None:
    assert (await verifier.verify(mint(key, clock, role=role))).role == role


async def test_a_token_ends(verifier: TokenVerifier, key: bytes, clock: FakeClock) -> None:
    token = mint(key, clock)
    await clock.advance(TTL)
    await verifier.verify(token)
    await clock.advance(timedelta(seconds=5))
    with pytest.raises(TokenExpired) as caught:
        await verifier.verify(token)
    assert caught.value.metadata == {"expire_time": "2026-03-01T12:05:00+00:00"}


async def test_a_token_of_another_issuer_or_audience_is_refused(
    verifier: TokenVerifier, key: bytes, clock: FakeClock
) -> None:
    tokens = {"issuer": mint(key, clock, issuer="other"), "audience": mint(key, clock, audience="other")}
    for problem, token in tokens.items():
        with pytest.raises(TokenInvalid) as caught:
            await verifier.verify(token)
        assert caught.value.metadata == {"problem": problem}


async def test_a_token_of_an_unknown_key_is_refused(verifier: TokenVerifier, clock: FakeClock) -> None:
    with pytest.raises(TokenInvalid):
        await verifier.verify(mint(new_key(), clock))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ä", "e30.e30.", "....", "\0"])
async def test_what_is_no_token_is_refused(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


def key_id(jwks: Path) -> str:
    return str(json.loads(jwks.read_text())["keys"][0]["kid"])


def claims(clock: FakeClock) -> dict[str, object]:
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": clock.now() + TTL}


async def test_an_unsigned_token_is_refused(verifier: TokenVerifier, jwks: Path, clock: FakeClock) -> None:
    token = jwt.encode(claims(clock), "", algorithm="none", headers={"kid": key_id(jwks)})
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


async def test_a_token_signed_with_another_algorithm_is_refused(
    verifier: TokenVerifier, jwks: Path, clock: FakeClock
) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(claims(clock), other, algorithm="ES256", headers={"kid": key_id(jwks)})
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "exp"])
async def test_a_token_that_leaves_something_out_is_refused(
    verifier: TokenVerifier, key: bytes, jwks: Path, clock: FakeClock, missing: str
) -> None:
    partial = {name: value for name, value in claims(clock).items() if name != missing}
    private = serialization.load_pem_private_key(key, None)
    assert isinstance(private, Ed25519PrivateKey)
    token = jwt.encode(partial, private, algorithm="EdDSA", headers={"kid": key_id(jwks)})
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


@pytest.mark.parametrize(
    "odd",
    [
        {"role": "admin"},
        {"exp": 1e300},
        {"exp": "soon"},
        {"exp": True},
        {"sub": 7},
        {"sub": ""},
        {"nbf": "soon"},
        {"iat": []},
    ],
)
async def test_a_token_with_an_odd_claim_is_refused(
    verifier: TokenVerifier, key: bytes, jwks: Path, clock: FakeClock, odd: dict[str, object]
) -> None:
    private = serialization.load_pem_private_key(key, None)
    assert isinstance(private, Ed25519PrivateKey)
    token = jwt.encode({**claims(clock), **odd}, private, algorithm="EdDSA", headers={"kid": key_id(jwks)})
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_of_a_later_time_is_refused_until_then(
    verifier: TokenVerifier, key: bytes, jwks: Path, clock: FakeClock, claim: str
) -> None:
    private = serialization.load_pem_private_key(key, None)
    assert isinstance(private, Ed25519PrivateKey)
    later = clock.now() + timedelta(seconds=6)
    token = jwt.encode({**claims(clock), claim: later}, private, algorithm="EdDSA", headers={"kid": key_id(jwks)})
    with pytest.raises(TokenInvalid) as caught:
        await verifier.verify(token)
    assert caught.value.metadata == {"problem": "time"}
    await clock.advance(timedelta(seconds=1))
    assert (await verifier.verify(token)).subject == "ada"


async def test_a_new_key_is_found_when_the_file_changes(verifier: TokenVerifier, jwks: Path, clock: FakeClock) -> None:
    verifier_knows_old = new_key()
    put(jwks, jwks_document(verifier_knows_old))
    await verifier.verify(mint(verifier_knows_old, clock))
    new = new_key()
    put(jwks, jwks_document(new))
    assert (await verifier.verify(mint(new, clock))).subject == "ada"


def test_a_pseudonym_depends_on_key_issuer_and_person() -> None:
    one = subject_pseudonym(b"k" * 32, "issuer", "ada")
    others = {
        subject_pseudonym(b"l" * 32, "issuer", "ada"),
        subject_pseudonym(b"k" * 32, "issues", "ada"),
        subject_pseudonym(b"k" * 32, "issuer", "bob"),
    }
    assert len(one) == 32
    assert set(one) <= set("0123456789abcdef")
    assert one not in others
    assert len(others) == 3


def test_a_pseudonym_is_always_the_same() -> None:
    assert subject_pseudonym(bytes(32), "pellicule-local", "ada") == "b653b9796b81e65fd6ba75025a519389"


def test_a_subject_key_of_the_wrong_length_is_named(tmp_path: Path) -> None:
    file = tmp_path / "subject.key"
    file.write_text("abcd")
    with pytest.raises(ValueError, match="32 bytes"):
        SubjectKey.read(file)


def test_the_start_of_the_tests_clock_is_aware() -> None:
    assert FakeClock().now() == datetime(2026, 3, 1, 12, tzinfo=UTC)
