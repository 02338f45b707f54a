"""Two ways to a server: the bare wire, and the client that the services use."""

from collections import Counter
from typing import Final, Self

import grpc

from inference.client.client import InferenceClient
from inference.client.clock import Clock
from inference.client.errors import ModelBusy, ModelFault
from inference.client.retries import CallPolicy
from inference.client.tls import Tls
from inference.client.wire import TritonWire
from inference.load.harness import Outcome
from inference.load.requests import LoadRequest, opened

_METHOD: Final = "/inference.GRPCInferenceService/ModelInfer"


class BareWire:
    """Sender of one request, encoded once, again and again; no limit, no retry, and hardly a cost of its own.

    Attributes:
        faults: What went wrong, and how often.
    """

    def __init__(self, address: str, request: LoadRequest, *, seconds: float, tls: Tls | None = None) -> None:
        """Prepare.

        Args:
            address: `host:port` of the server.
            request: what is sent.
            seconds: longest wait for a response.
            tls: how the server is known; None to speak to it in clear.
        """
        self._channel = opened(address, tls)
        # Bytes in, bytes out: nothing is encoded or decoded for a request.
        self._call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(_METHOD)
        self._request, self._least, self._seconds = request.encoded(), request.answer_bytes, seconds
        self.faults: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()

    async def send(self, number: int) -> Outcome:
        """Send the request."""
        try:
            answer = await self._call(self._request, timeout=self._seconds)
        except grpc.aio.AioRpcError as error:
            self.faults[f"{error.code().name}: {error.details()}"] += 1
            return Outcome.FAILED
        if len(answer) < self._least:
            self.faults["a response without its tensors"] += 1
            return Outcome.FAILED
        return Outcome.ANSWERED


class ShieldedWire:
    """Sender through the client that the services use: so many in flight, a bounded wait for a slot, then refused.

    Attributes:
        faults: What went wrong, and how often.
    """

    def __init__(
        self, address: str, request: LoadRequest, clock: Clock, policy: CallPolicy, *, tls: Tls | None = None
    ) -> None:
        # What is sent is made up, so that it may go to another machine in clear.
        self._client = InferenceClient(address, clock, policy=policy, wire=TritonWire(address, tls))
        self._request = request
        self.faults: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.__aexit__(None, None, None)

    async def send(self, number: int) -> Outcome:
        """Send the request through the client."""
        try:
            await self._client.infer(self._request.model, self._request.inputs, self._request.output_specs)
        except ModelBusy:
            return Outcome.REFUSED
        except ModelFault as fault:
            self.faults[f"{type(fault).__name__}: {fault}"] += 1
            return Outcome.FAILED
        return Outcome.ANSWERED
