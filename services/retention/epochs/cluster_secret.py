"""One named Secret of Kubernetes, changed by comparing its version: of two that change it at once one begins again."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import urllib3
from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException

from services.chassis.held_connections import check_none_is_held
from services.retention.errors import KeysUnavailable

NO_BACKUP = "velero.io/exclude-from-backup"
"""Label by which Velero leaves a resource out of backups."""
_CONFLICT = 409
_NOT_FOUND = 404
_FORBIDDEN = frozenset({401, 403})
_TIMEOUT = (2.0, 5.0)
_MOST_TIMES = 20

ResultT = TypeVar("ResultT")
Entries = Mapping[str, bytes]


@dataclass(frozen=True)
class _Found:
    secret: Any
    entries: Entries


class ClusterSecret:
    """The Secret's entries. Every method raises `KeysUnavailable` when there is no answer that counts."""

    def __init__(self, api: CoreV1Api, namespace: str, name: str) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name

    def __str__(self) -> str:
        return f"the Secret {self._name} of the namespace {self._namespace}"

    async def read(self) -> Entries:
        """Return the entries, with their bytes."""
        check_none_is_held("api-server")
        return (await asyncio.to_thread(self._read)).entries

    async def change(self, edited: Callable[[Entries], Entries]) -> Entries:
        """Replace the entries by what they are to be; `edited` may be asked again. Return them as they are then."""
        check_none_is_held("api-server")
        return await asyncio.to_thread(self._change, edited)

    def _read(self) -> _Found:
        secret = self._ask(self._api.read_namespaced_secret)
        return _Found(secret, {name: base64.b64decode(value) for name, value in (secret.data or {}).items()})

    def _change(self, edited: Callable[[Entries], Entries]) -> Entries:
        for _ in range(_MOST_TIMES):
            found = self._read()
            entries = edited(found.entries)
            if entries == found.entries or self._replace(found.secret, entries):
                return entries
        raise KeysUnavailable.because(str(self), "others change it all the time: call again")

    def _replace(self, secret: Any, entries: Entries) -> bool:  # the client has no types
        secret.data = {name: base64.b64encode(value).decode() for name, value in entries.items()}
        secret.metadata.labels = {**(secret.metadata.labels or {}), NO_BACKUP: "true"}
        try:
            self._ask(self._api.replace_namespaced_secret, secret)
        except _Outdated:
            return False
        return True

    def _ask(self, call: Callable[..., ResultT], *arguments: object) -> ResultT:
        try:
            return call(self._name, self._namespace, *arguments, _request_timeout=_TIMEOUT)
        except ApiException as error:
            if error.status == _CONFLICT:
                raise _Outdated from error
            raise KeysUnavailable.because(str(self), self._said(error.status)) from error
        except urllib3.exceptions.HTTPError as error:
            raise KeysUnavailable.because(str(self), "the API server does not answer") from error

    def _said(self, status: int) -> str:
        if status == _NOT_FOUND:
            return f"is not there: make it, empty, with the label {NO_BACKUP}=true"
        if status in _FORBIDDEN:
            return "let the service account of retention get and update it"
        return f"the API server answers {status}"


class _Outdated(Exception):
    """Another process has changed the Secret since it was read."""
