"""Transit engine of OpenBao or Vault: named keys that never leave the server, and what it derives from them.

A key counts as gone when the server itself says so in a list that it gives; a path that it does not know, a seal, a
refusal and silence are outages.
"""

import asyncio
import base64
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import hvac
import hvac.exceptions as vault
import requests

from services.chassis.certificates.trust import checked, unavailable
from services.chassis.errors import DependencyUnavailable
from services.chassis.held_connections import check_none_is_held
from services.retention.domain.places import TransitEngine
from services.retention.epochs.transit_tokens import Tokens
from services.retention.errors import KeysUnavailable

CA_SETTING = "PELLICULE_TRANSIT_CA_FILE"
_TIMEOUT = (2.0, 5.0)
"""Seconds for a connection, and for an answer."""
_THREADS = 8
_BATCH = 1000
"""Inputs in a request."""
_FIRST_VERSION = "vault:v1:"
"""What a key of one version derives begins with: a key that somebody rotates derives the same as before."""

ResultT = TypeVar("ResultT")


class KeyNotThere(Exception):
    """The server has no key of this name."""


class TransitServer:
    """Keys of an engine, by name. Every method raises `KeysUnavailable` when there is no answer that counts."""

    def __init__(self, engine: TransitEngine, tokens: Tokens) -> None:
        """Connect to nothing yet.

        Raises:
            CertificateRefused: there is no whole certificate in the file of authorities.
        """
        self._engine = engine
        self._tokens = tokens
        session = requests.Session()
        session.verify = checked(engine.ca_file) or True
        session.trust_env = False  # no proxy and no file of passwords that was not set here
        namespace = engine.namespace or None
        # Each request takes the token of its moment.
        self._client = hvac.Client(engine.url, token="", timeout=_TIMEOUT, namespace=namespace, session=session)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="transit")

    def __str__(self) -> str:
        return str(self._engine)

    async def close(self) -> None:
        """Wait for requests in flight and close the connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True)
        self._client.adapter.close()

    async def names(self) -> frozenset[str]:
        """Return the names of all keys."""
        return await self._run(self._names)

    async def make(self, name: str) -> None:
        """Make a key; one that is there stays as it is."""
        parameters = {"type": "aes256-gcm96", "exportable": False, "allow_plaintext_backup": False}
        await self._run(lambda: self._client.adapter.post(self._path("keys", name), json=parameters))

    async def destroy(self, name: str) -> None:
        """Destroy a key for good; return once the server has it no more."""
        await self._run(lambda: self._destroy(name))

    async def derive(self, name: str, inputs: Sequence[bytes]) -> list[bytes]:
        """Return the HMAC-SHA256 of each input under a key.

        Raises:
            KeyNotThere: the server has no such key.
        """
        portions = [inputs[start : start + _BATCH] for start in range(0, len(inputs), _BATCH)]
        derived = await asyncio.gather(*(self._run(partial(self._derive, name, each)) for each in portions))
        return [each for portion in derived for each in portion]

    def _names(self) -> frozenset[str]:
        try:
            return frozenset(self._client.adapter.list(self._path("keys"))["data"]["keys"])
        except vault.InvalidPath as error:
            if error.errors == []:  # no path that is not known, but an engine without a key
                return frozenset()
            raise

    def _destroy(self, name: str) -> None:
        if name not in self._names():
            return
        self._client.adapter.post(self._path("keys", name, "config"), json={"deletion_allowed": True})
        try:
            self._client.adapter.delete(self._path("keys", name))
        except vault.InvalidRequest:
            if name in self._names():
                raise
        if name in self._names():
            raise KeysUnavailable.because(str(self), f"has the key {name} after it was deleted")

    def _derive(self, name: str, inputs: Sequence[bytes]) -> list[bytes]:
        batch = [{"input": base64.b64encode(each).decode()} for each in inputs]
        try:
            answer = self._client.adapter.post(
                self._path("hmac", name, "sha2-256"), json={"batch_input": batch, "key_version": 1}
            )
        except vault.InvalidRequest:
            if name not in self._names():
                raise KeyNotThere(name) from None
            raise
        return [_bytes(each) for each in answer["data"]["batch_results"]]

    def _path(self, *parts: str) -> str:
        return "/".join(("/v1", self._engine.mount, *parts))

    async def _run(self, work: Callable[[], ResultT]) -> ResultT:
        check_none_is_held("keys-server")
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: self._ask(work))

    def _ask(self, work: Callable[[], ResultT]) -> ResultT:
        """Ask, and once more under another token where the one at hand is refused."""
        try:
            self._client.token = self._tokens.current(self._client)
            try:
                return work()
            except (vault.Forbidden, vault.Unauthorized):
                self._client.token = self._tokens.another(self._client)
                return work()
        except (vault.Forbidden, vault.Unauthorized) as error:
            raise KeysUnavailable.because(str(self), f"refuses: {self._tokens.remedy}") from error
        except (vault.VaultError, requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise self._outage(error) from error

    def _outage(self, error: Exception) -> DependencyUnavailable:
        if isinstance(error, requests.RequestException):
            found = unavailable("keys-server", CA_SETTING, error)
            return found if CA_SETTING in found.message else KeysUnavailable.because(str(self), "does not answer")
        said = ", ".join(getattr(error, "errors", None) or [type(error).__name__])
        return KeysUnavailable.because(str(self), f"says: {said}")


def _bytes(result: Any) -> bytes:  # what the server answers
    text = str(result["hmac"])
    if not text.startswith(_FIRST_VERSION):
        raise ValueError("it is derived from another version of the key")
    return base64.b64decode(text.removeprefix(_FIRST_VERSION))
