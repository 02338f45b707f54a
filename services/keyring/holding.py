"""Lease on which a process holds keys in memory: renewed again and again, given up with all keys when it breaks."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import structlog

from pellicule.internal.retention.v1 import key_service_pb2, key_service_pb2_grpc
from services.chassis.clock import Clock
from services.keyring import translation
from services.keyring.cache import LEASE_SECONDS, KeyCache
from services.keyring.wakes import RevocationWakes

_RENEW_SECONDS = 0.5
_RECONNECT_SECONDS = 0.5
_LEAVE_SECONDS = 0.5

_log = structlog.stdlib.get_logger()


class Holding:
    """Keeps the lease of a cache of keys. `run` is a task of the process."""

    def __init__(
        self, stub: key_service_pb2_grpc.KeyServiceStub, cache: KeyCache, wakes: RevocationWakes, clock: Clock
    ) -> None:
        self._stub = stub
        self._cache = cache
        self._wakes = wakes
        self._clock = clock
        self._leased = asyncio.Event()

    async def leased(self) -> None:
        """Return once there is a lease, and so keys may be held."""
        await self._leased.wait()

    async def run(self) -> None:
        """Keep a lease, until cancelled."""
        while True:
            try:
                await _Session(self._stub, self._cache, self._wakes, self._clock, self._leased).run()
            except (grpc.aio.AioRpcError, TimeoutError):
                _log.warning("revocations_lost")
            finally:
                self._leased.clear()
            await self._clock.sleep(_RECONNECT_SECONDS)


class _Session:
    """One stream."""

    def __init__(
        self,
        stub: key_service_pb2_grpc.KeyServiceStub,
        cache: KeyCache,
        wakes: RevocationWakes,
        clock: Clock,
        leased: asyncio.Event,
    ) -> None:
        self._cache = cache
        self._wakes = wakes
        self._clock = clock
        self._leased = leased
        self._words: asyncio.Queue[key_service_pb2.HoldKeysRequest] = asyncio.Queue()
        self._asked_at: dict[int, float] = {}
        self._left = False
        self._stream = stub.HoldKeys(self._say())

    async def run(self) -> None:
        """Hold until the stream ends, or leave when cancelled."""
        # A task of its own: a read that is cancelled ends the stream, and nothing could be said any more.
        hearing = asyncio.ensure_future(self._hear_all())
        renewing = asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait({hearing})
        finally:
            renewing.cancel()
            self._leave()
            await asyncio.wait({hearing}, timeout=_LEAVE_SECONDS)
            hearing.cancel()
        await hearing

    async def _say(self) -> AsyncIterator[key_service_pb2.HoldKeysRequest]:
        while True:
            word = await self._words.get()
            yield word
            if word.leaving:
                return

    async def _renew(self) -> None:
        number = 0
        while True:
            number += 1
            self._cache.tidy()
            # Before it is sent: what retention has proven when it hears this is as new as that.
            self._asked_at[number] = self._clock.monotonic()
            self._words.put_nowait(key_service_pb2.HoldKeysRequest(renewal_number=number))
            await self._clock.sleep(_RENEW_SECONDS)

    async def _hear_all(self) -> None:
        while True:
            async with asyncio.timeout(LEASE_SECONDS):
                message = await self._stream.read()
            if not isinstance(message, key_service_pb2.HoldKeysResponse):
                return
            self._hear(message)

    def _hear(self, message: key_service_pb2.HoldKeysResponse) -> None:
        if message.number:
            self._cache.revoke(translation.revocation(message))
            self._wakes.wake(message.subject)
            self._words.put_nowait(key_service_pb2.HoldKeysRequest(acknowledged_number=message.number))
        if not self._left and (seconds := message.lease_duration.ToTimedelta().total_seconds()):
            self._cache.renew(self._asked_at.pop(message.renewal_number) + seconds)
            if not self._leased.is_set():
                self._leased.set()
                self._wakes.wake_all()

    def _leave(self) -> None:
        """Let go of everything, and say so: no destruction need wait for the end of the lease."""
        self._left = True
        self._cache.drop_all()
        self._words.put_nowait(key_service_pb2.HoldKeysRequest(leaving=True))
