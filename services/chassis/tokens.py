"""Persons' tokens: JWTs (RFC 7519) checked against the keys of their issuer, and the pseudonym they become."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self, TypeAlias

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

from services.chassis.clock import Clock
from services.chassis.errors import TokenExpired, TokenInvalid
from services.chassis.issuer_keys import ALGORITHMS, IssuerKeys

ALGORITHM = "EdDSA"
LEEWAY = timedelta(seconds=5)
"""Difference between two machines' clocks that is forgiven."""

Role: TypeAlias = Literal["operator", "auditor"]

_PROBLEMS: Mapping[type[Exception], str] = {
    jwt.InvalidSignatureError: "signature",
    jwt.InvalidKeyError: "key",
    jwt.InvalidAlgorithmError: "algorithm",
    jwt.InvalidIssuerError: "issuer",
    jwt.InvalidAudienceError: "audience",
    jwt.ImmatureSignatureError: "time",
}

_JWT = jwt.PyJWT(options={"enforce_minimum_key_length": True})
_REQUIRED = ["exp", "iss", "aud", "sub"]
_REMEDY = "get a new token from your issuer, or from `pellicule token`"


@dataclass(frozen=True)
class Claims:
    """What a checked token says.

    Attributes:
        issuer: Who issued it.
        subject: The `sub` claim: the person's name at the issuer; never stored, logged or sent on.
        role: `operator` or `auditor`; None for a person.
        expires: From when on it is refused.
    """

    issuer: str
    subject: str
    role: Role | None
    expires: datetime


class TokenVerifier:
    """Checks tokens against the keys of an issuer."""

    def __init__(self, keys: IssuerKeys, *, issuer: str, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    async def verify(self, token: str) -> Claims:
        """Return what the token says.

        Raises:
            TokenInvalid: not a token, not from this issuer, for another audience, unsigned, or of a later time.
            TokenExpired: its time is over.
            DependencyUnavailable: the issuer's keys cannot be read.
        """
        try:
            claims = _claims(self._decoded(token, await self._key_of(token)), self._clock.now() + LEEWAY)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            problem = _PROBLEMS.get(type(error), "form")
            raise TokenInvalid(f"the token's {problem} is wrong: {_REMEDY}", metadata={"problem": problem}) from error
        if claims.expires + LEEWAY <= self._clock.now():
            raise token_expired(claims.expires)
        return claims

    def _decoded(self, token: str, key: jwt.PyJWK) -> Mapping[str, object]:
        return _JWT.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=self._issuer,
            audience=self._audience,
            # Times are compared with the process's clock.
            options={"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )

    async def _key_of(self, token: str) -> jwt.PyJWK:
        key = await self._keys.find(str(jwt.get_unverified_header(token).get("kid", "")))
        if key is None:
            raise jwt.InvalidKeyError("unknown key id")
        return key


def token_expired(expire_time: datetime) -> TokenExpired:
    """Return the error for a token that was good until a time."""
    expired = expire_time.isoformat()
    return TokenExpired(f"the token expired at {expired}: {_REMEDY}", metadata={"expire_time": expired})


def mint_token(
    private_key_pem: bytes,
    *,
    issuer: str,
    audience: str,
    subject: str,
    ttl: timedelta,
    role: Role | None = None,
    clock: Clock,
) -> str:
    """Signs a token, as a local deployment's own issuer.

    Args:
        private_key_pem: Ed25519 key, PEM, unencrypted; its JWKS is `jwks_document`.
        issuer: `iss` claim.
        audience: `aud` claim.
        subject: `sub` claim: the person's name.
        ttl: How long it is good.
        role: `operator` or `auditor`; None for a person.
        clock: When it is now.
    """
    key = _load_private_key(private_key_pem)
    now = clock.now()
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + ttl}
    if role is not None:
        claims["role"] = role
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id_of(key.public_key())})


def jwks_document(private_key_pem: bytes) -> str:
    """Return the JWKS (RFC 7517) with the public half of an issuer's key."""
    public = _load_private_key(private_key_pem).public_key()
    jwk = OKPAlgorithm.to_jwk(public, as_dict=True)
    return json.dumps({"keys": [{**jwk, "kid": key_id_of(public), "alg": ALGORITHM, "use": "sig"}]})


def key_id_of(public: Ed25519PublicKey) -> str:
    """Return the `kid` of a key: the first 16 hex characters of its SHA-256."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def subject_pseudonym(key: bytes, issuer: str, sub: str) -> str:
    """Return the name under which a person is known inside: 32 hex characters.

    HMAC-SHA256 over issuer, a zero byte and `sub`; without the key it cannot be linked to the person.
    """
    return hmac.new(key, f"{issuer}\0{sub}".encode(), hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True)
class SubjectKey:
    """The key of every pseudonym."""

    key: bytes

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read 32 bytes in hex.

        Raises:
            ValueError: the file holds something else.
        """
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
        if len(key) != 32:
            raise ValueError(f"{file}: expected 32 bytes in hex (64 characters), found {len(key)} bytes")
        return cls(key)


def _claims(payload: Mapping[str, object], latest: datetime) -> Claims:
    """Return what a decoded token says, if its times allow it until the latest moment that it may be now."""
    role, name = payload.get("role"), payload["sub"]
    if role not in (None, "operator", "auditor") or not isinstance(name, str) or not name:
        raise jwt.InvalidTokenError("a role that does not exist, or nobody's name")
    for claim in ("nbf", "iat"):
        if claim in payload and _time(payload[claim]) > latest:
            raise jwt.ImmatureSignatureError(claim)
    return Claims(issuer=str(payload["iss"]), subject=name, role=role, expires=_time(payload["exp"]))


def _time(claim: object) -> datetime:
    if not isinstance(claim, int | float) or isinstance(claim, bool):
        raise jwt.InvalidTokenError("a time that is none")
    return datetime.fromtimestamp(claim, UTC)


def _load_private_key(pem: bytes) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("the issuer's key must be Ed25519")
    return key
