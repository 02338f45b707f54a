"""Connections under the newest certificates: one that the server has taken takes the place of the one before."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import grpc
import tritonclient.grpc.aio as triton
from tritonclient.utils import InferenceServerException

from inference.client.tls import Tls

_AGAIN_SECONDS: Final = 1.0
"""Pause before the server is asked again whether it takes a new certificate: it may not know its authority yet."""
_LIVES_SECONDS: Final = 5.0
_NO_ANSWER: Final = frozenset({"StatusCode.UNAVAILABLE", "StatusCode.DEADLINE_EXCEEDED"})

Open = Callable[[grpc.ChannelCredentials | None], triton.InferenceServerClient]


class _Connection:
    """A connection, and how many calls are on it."""

    def __init__(self, client: triton.InferenceServerClient) -> None:
        self.client = client
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[triton.InferenceServerClient]:
        self._calls += 1
        self._idle.clear()
        try:
            yield self.client
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def taken(self) -> None:
        """Return once the server answers here."""
        while not await self._lives():  # noqa: ASYNC110  # no server tells when it has read its authorities again
            await asyncio.sleep(_AGAIN_SECONDS)

    async def wind_up(self) -> None:
        """Close once the last call has ended, or at once when cancelled."""
        try:
            await self._idle.wait()
        finally:
            await self.client.close()

    async def _lives(self) -> bool:
        try:
            await self.client.is_server_live(client_timeout=_LIVES_SECONDS)
        except InferenceServerException as error:
            return str(error.status()) not in _NO_ANSWER
        return True


class Connections:
    """Lends the connection that calls take."""

    def __init__(self, open_: Open, tls: Tls | None) -> None:
        self._open = open_
        self._tls = tls
        self._under = tls.credentials() if tls else None
        self._current = _Connection(open_(self._under))
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[triton.InferenceServerClient]:
        """Lend it for a call."""
        if self._tls and self._tls.credentials() is not self._under:
            self._under = self._tls.credentials()
            task = asyncio.create_task(self._move(self._open(self._under)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        async with self._current.lent() as client:
            yield client

    async def close(self) -> None:
        """End all connections."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._current.client.close()

    async def _move(self, client: triton.InferenceServerClient) -> None:
        fresh = _Connection(client)
        try:
            await fresh.taken()
        except asyncio.CancelledError:
            await client.close()
            raise
        old, self._current = self._current, fresh
        await old.wind_up()
