"""Keys of the issuer of persons' tokens: a JWKS (RFC 7517) in a file, or at the URL of an OpenID Connect provider."""

import asyncio
import json
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import jwt
import structlog

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.chassis.settings import TokenSettings

ALGORITHMS = ("EdDSA", "ES256", "RS256")
"""Signatures that are accepted (RFC 7518, RFC 8037); a key is good for the one that its type names."""
FRESH_SECONDS = 300.0
"""Keys from a URL are fetched again after this time."""
COOLDOWN_SECONDS = 10.0
"""The URL is asked at most this often, however many tokens name unknown keys."""
STALE_SECONDS = 3600.0
"""Keys are used for this long at most while their URL cannot be read; a key that was taken out ends by then."""
_FETCH_SECONDS = 5.0

_log = structlog.get_logger()


class IssuerKeys(Protocol):
    """Public keys of an issuer."""

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key with an id (`kid`); None if the issuer has none of that name.

        Without an id, the only key of an issuer that has just one (OpenID Connect Core 1.0, section 10.1).

        Raises:
            DependencyUnavailable: the keys cannot be read.
        """


class FileKeys:
    """Implements `IssuerKeys` on a file, which it reads again when it has changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_at_mtime = -1
        self._keys: Mapping[str, jwt.PyJWK] = {}

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key with an id (`IssuerKeys.find`)."""
        mtime = self._file.stat().st_mtime_ns
        if mtime != self._read_at_mtime:
            self._keys = _signing_keys(jwt.PyJWKSet.from_json(self._file.read_text(encoding="utf-8")).keys)
            self._read_at_mtime = mtime
        return _named(self._keys, key_id)


class UrlKeys:
    """Implements `IssuerKeys` on a URL: kept in memory, fetched again in time and when a token names a new key."""

    def __init__(self, url: str, clock: Clock, ca_file: Path | None = None) -> None:
        """Fetch nothing yet.

        Args:
            url: Of the JWKS: `https://`, or `http://` on loopback.
            clock: Measures the keys' age.
            ca_file: Certificates that the URL's server is checked against; the system's by default.
        """
        self._url = url
        self._ca_file = ca_file
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key with an id (`IssuerKeys.find`)."""
        if not self._knows(key_id):
            async with self._fetching:
                if not self._knows(key_id) and self._clock.monotonic() - self._tried_at >= COOLDOWN_SECONDS:
                    await self._fetch()
        if self._age() >= STALE_SECONDS:
            raise DependencyUnavailable.of("issuer")
        return _named(self._keys, key_id)

    def _knows(self, key_id: str) -> bool:
        return _named(self._keys, key_id) is not None and self._age() < FRESH_SECONDS

    def _age(self) -> float:
        return self._clock.monotonic() - self._fetched_at

    async def _fetch(self) -> None:
        self._tried_at = self._clock.monotonic()
        try:
            keys = await asyncio.to_thread(self._ask)
        except (jwt.PyJWTError, json.JSONDecodeError, OSError, ValueError) as error:
            _log.warning("issuer_keys_not_read", exc_info=error)
        else:
            self._keys, self._fetched_at = _signing_keys(keys), self._tried_at

    def _ask(self) -> list[jwt.PyJWK]:
        """Ask under the authorities that are in the file now: they may have been renewed."""
        context = ssl.create_default_context(cafile=self._ca_file)
        client = jwt.PyJWKClient(self._url, cache_jwk_set=False, timeout=_FETCH_SECONDS, ssl_context=context)
        return client.get_signing_keys()


def issuer_keys(settings: TokenSettings, clock: Clock) -> IssuerKeys:
    """Return the keys that the settings name."""
    if settings.token_jwks_url is not None:
        return UrlKeys(settings.token_jwks_url, clock, settings.token_jwks_ca_file)
    if settings.token_jwks_file is not None:
        return FileKeys(settings.token_jwks_file)
    raise ValueError("neither a file nor a URL of the issuer's keys")  # settings are checked where they are read


def _named(keys: Mapping[str, jwt.PyJWK], key_id: str) -> jwt.PyJWK | None:
    return keys.get(key_id) or (next(iter(keys.values())) if not key_id and len(keys) == 1 else None)


def _signing_keys(keys: Iterable[jwt.PyJWK]) -> Mapping[str, jwt.PyJWK]:
    usable = [key for key in keys if key.public_key_use in {"sig", None} and key.algorithm_name in ALGORITHMS]
    return {key.key_id or "": key for key in usable}
