"""Keyring that asks the retention service."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import grpc

from pellicule.internal.retention.v1 import key_service_pb2, key_service_pb2_grpc
from services.chassis.clock import Clock
from services.keyring import translation
from services.keyring.cache import KeyCache, Opening
from services.keyring.holding import Holding
from services.keyring.keys import DataKey, NewDataKey
from services.keyring.wakes import RevocationWakes

MAX_CREATED = 1000
"""Keys created by one call."""
MAX_OPENED = 10_000
"""Keys opened or destroyed by one call."""


class RetentionKeyring:
    """Implements `Keyring` over an mTLS channel to the retention service (`channels.open_channel`).

    `run` is a task of the process. Without it everything works, but every key is asked for each time.
    """

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._stub = key_service_pb2_grpc.KeyServiceStub(channel)
        self._cache = KeyCache(clock)
        self._wakes = RevocationWakes()
        self._holding = Holding(self._stub, self._cache, self._wakes, clock)

    @property
    def held_count(self) -> int:
        """How many keys are in memory."""
        return len(self._cache)

    async def listening(self) -> None:
        """Return once it hears what is destroyed, and so may hold keys."""
        await self._holding.leased()

    async def run(self) -> None:
        """Listen to what the retention service destroys, until cancelled."""
        await self._holding.run()

    def revocations(self, subject: str) -> AbstractContextManager[asyncio.Event]:
        """Give an event that is set when keys of a person may have been destroyed (`Keyring.revocations`)."""
        return self._wakes.waiting(subject)

    async def create(self, *, subject: str, purpose: str, keys: Sequence[NewDataKey]) -> list[DataKey]:
        """Create data keys (`Keyring.create`)."""
        created: list[DataKey] = []
        for start in range(0, len(keys), MAX_CREATED):
            created += await self._create(subject, purpose, keys[start : start + MAX_CREATED])
        return created

    async def open(self, *, subject: str, purpose: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Open data keys (`Keyring.open`)."""
        opened = self._cache.get(subject, purpose, ids)
        missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in opened]
        # Without ids nothing could be in memory: only the retention service can say whether the purpose is granted.
        for portion in translation.in_portions(missing, MAX_OPENED) if ids else [()]:
            opened |= await self._open(subject, purpose, portion)
        return opened

    async def reach_back(self, *, subject: str) -> datetime | None:
        """Says how far OLDER_MEDIA reaches back (`Keyring.reach_back`)."""
        request = key_service_pb2.GetPurposeKeyRequest(
            subject=subject, purpose=translation.purpose_number("OLDER_MEDIA")
        )
        try:
            response = await self._stub.GetPurposeKey(request)
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error
        return response.reach_back_time.ToDatetime(tzinfo=UTC) if response.HasField("reach_back_time") else None

    async def kept_media(self, *, subject: str, media: Sequence[str]) -> set[str]:
        """Tell which media a person still has (`Keyring.kept_media`)."""
        request = key_service_pb2.FindKeptMediaRequest(subject=subject, media=media)
        try:
            return set((await self._stub.FindKeptMedia(request)).media)
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error

    async def destroy(self, *, subject: str, ids: Sequence[str]) -> int:
        """Destroys data keys of this service (`Keyring.destroy`)."""
        destroyed = 0
        for portion in translation.in_portions(ids, MAX_OPENED):
            request = key_service_pb2.DestroyDataKeysRequest(subject=subject, ids=portion)
            try:
                destroyed += (await self._stub.DestroyDataKeys(request)).destroyed_count
            except grpc.aio.AioRpcError as error:
                raise translation.keyring_error(error) from error
        return destroyed

    async def _create(self, subject: str, purpose: str, keys: Sequence[NewDataKey]) -> list[DataKey]:
        request = key_service_pb2.CreateDataKeysRequest(
            subject=subject,
            purpose=translation.purpose_number(purpose),
            keys=map(translation.data_key_spec, keys),
        )
        with self._cache.opening(subject, purpose) as opening:
            try:
                response = await self._stub.CreateDataKeys(request)
            except grpc.aio.AioRpcError as error:
                raise translation.keyring_error(error) from error
        if not opening.void:  # a service that seals with a new key opens it next, to see whether it still may
            self._cache.put(opening, {key.id: key.key for key in response.keys if key.id not in opening.lost_ids})
        return [DataKey(key.id, key.key, response.purpose_revision) for key in response.keys]

    async def _open(self, subject: str, purpose: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Asks again if the purpose's key was destroyed meanwhile: the answer may be from before."""
        while True:
            with self._cache.opening(subject, purpose) as opening:
                keys = await self._ask(opening, ids)
            if not opening.void:
                kept = {id_: key for id_, key in keys.items() if id_ not in opening.lost_ids}
                self._cache.put(opening, kept)
                return kept

    async def _ask(self, opening: Opening, ids: Sequence[str]) -> dict[str, bytes]:
        request = key_service_pb2.OpenDataKeysRequest(
            subject=opening.subject, purpose=translation.purpose_number(opening.purpose), ids=ids
        )
        try:
            response = await self._stub.OpenDataKeys(request)
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error
        return {key.id: key.key for key in response.keys}
