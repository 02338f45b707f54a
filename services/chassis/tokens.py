"""Persons' tokens: EdDSA JWTs checked against a JWKS file, and the pseudonym they become."""

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
}

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
    """Checks tokens against a JWKS file, which it reads again when it has changed."""

    def __init__(self, jwks_file: Path, *, issuer: str, audience: str, clock: Clock) -> None:
        self._file = jwks_file
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._read_at_mtime = -1
        self._keys: Mapping[str, Ed25519PublicKey] = {}

    def verify(self, token: str) -> Claims:
        """Return what the token says.

        Raises:
            TokenInvalid: not a token, not from this issuer, for another audience, or unsigned.
            TokenExpired: its time is over.
        """
        try:
            payload = jwt.decode(
                token,
                self._key_of(token),
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "iss", "aud", "sub"], "verify_exp": False, "verify_nbf": False},
            )
            claims = _claims(payload)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            problem = _PROBLEMS.get(type(error), "form")
            raise TokenInvalid(f"the token's {problem} is wrong: {_REMEDY}", metadata={"problem": problem}) from error
        if claims.expires + LEEWAY <= self._clock.now():
            raise token_expired(claims.expires)
        return claims

    def _key_of(self, token: str) -> Ed25519PublicKey:
        key_id = str(jwt.get_unverified_header(token).get("kid", ""))
        self._read_again_if_changed()
        if key_id not in self._keys:
            raise jwt.InvalidKeyError("unknown key id")
        return self._keys[key_id]

    def _read_again_if_changed(self) -> None:
        mtime = self._file.stat().st_mtime_ns
        if mtime != self._read_at_mtime:
            self._keys = _read_jwks(self._file)
            self._read_at_mtime = mtime


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


def _claims(payload: Mapping[str, object]) -> Claims:
    role, expires = payload.get("role"), payload["exp"]
    if role not in (None, "operator", "auditor") or not isinstance(expires, int | float):
        raise jwt.InvalidTokenError("a role that does not exist, or a time that is none")
    return Claims(
        issuer=str(payload["iss"]),
        subject=str(payload["sub"]),
        role=role,
        expires=datetime.fromtimestamp(expires, UTC),
    )


def _load_private_key(pem: bytes) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("the issuer's key must be Ed25519")
    return key


def _read_jwks(file: Path) -> Mapping[str, Ed25519PublicKey]:
    keys = json.loads(file.read_text(encoding="utf-8"))["keys"]
    loaded = {jwk["kid"]: OKPAlgorithm.from_jwk(jwk) for jwk in keys if jwk.get("kty") == "OKP"}
    return {key_id: key for key_id, key in loaded.items() if isinstance(key, Ed25519PublicKey)}
