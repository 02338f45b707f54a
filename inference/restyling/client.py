"""Asks a server for restyled pictures, with a limit of its own: a picture takes seconds, not milliseconds."""

import re
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import numpy as np

from inference.client.client import InferenceClient
from inference.client.clock import Clock
from inference.client.errors import ModelAnswerBroken, ModelBusy, ModelMissing, TensorRefused
from inference.client.limit import AdaptiveLimit, Gate, GateFull
from inference.client.retries import Timeouts
from inference.client.tensors import Facts, OutputSpec, Tensors
from inference.client.wire import Wire
from inference.restyling.assembly import NAME
from inference.restyling.diffusion.errors import (
    NetworkFailed,
    ParameterOutOfRange,
    PictureNotRgb,
    PictureTooLarge,
    PictureTooSmall,
    RestylingError,
    StyleUnknown,
)
from inference.restyling.diffusion.request import Picture, RestyleRequest, check_request

MOST_WAITING: Final = 8
"""Pictures that wait for their turn; the next one is refused at once."""
_WAIT_SECONDS: Final = 120.0
_LONGEST_SECONDS: Final = 1800.0
_SECONDS_TO_BEGIN: Final = 10.0
_SECONDS_FOR_A_STEP: Final = 1.0
_SECONDS_FOR_MEGAPIXEL_STEP: Final = 60.0
_REFUSAL: Final = re.compile(r"([A-Z_]+) \[([^\]]*)\]: (.*)", re.DOTALL)
_KINDS: Final[dict[str, type[RestylingError]]] = {
    kind.reason: kind
    for kind in (PictureNotRgb, PictureTooSmall, PictureTooLarge, StyleUnknown, ParameterOutOfRange, NetworkFailed)
}


class RestylerClient:
    """Asks for one picture at a time for each instance that the server has; the others wait in line, up to a number.

    One for each event loop; close it by leaving its context. A task that is cancelled ends the work on the server.
    """

    def __init__(
        self, address: str, clock: Clock, *, most_waiting: int = MOST_WAITING, wire: Wire | None = None
    ) -> None:
        """Prepares; nothing is sent before the first question.

        Args:
            address: `host:port` of the server's gRPC endpoint.
            clock: The process's clock.
            most_waiting: Pictures that may wait for their turn.
            wire: Takes the place of the connection to `address`.
        """
        timeouts = Timeouts(queue=_WAIT_SECONDS, response=_LONGEST_SECONDS, first_retry=0.5)
        self._client = InferenceClient(address, clock, exceptions={NAME: timeouts}, wire=wire)
        self._clock = clock
        self._most_waiting = most_waiting
        self._gate = Gate(clock, AdaptiveLimit(1))
        self._facts: Facts | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def styles(self) -> tuple[str, ...]:
        """Returns the names of the styles that are served, by index.

        Raises:
            ModelFault: the server does not say.
        """
        return _styles(await self._served())

    async def identity(self) -> str:
        """Returns the name and version of the model that is served; empty when the server does not say.

        Raises:
            ModelFault: the server does not answer.
        """
        return (await self._served()).identity

    async def restyle(self, request: RestyleRequest) -> Picture:
        """Asks for one picture.

        Args:
            request: what is asked; it is checked before anything is sent.

        Returns:
            UINT8, as large as the photo.

        Raises:
            RequestRefused: it cannot be restyled.
            NetworkFailed: the network's answer is no picture.
            ModelBusy: too many pictures wait already, or the turn did not come in time.
            ModelFault: the server does not answer, or not as it should.
        """
        check_request(request, _styles(await self._served()))
        if self._gate.waiting >= self._most_waiting:
            raise ModelBusy(NAME, f"{self._gate.waiting} pictures wait already", timedelta(seconds=5))
        try:
            async with self._gate.slot(_WAIT_SECONDS):
                return await self._ask(request)
        except GateFull as full:
            raise ModelBusy(NAME, "the turn did not come in time", full.retry_after) from None

    async def _ask(self, request: RestyleRequest) -> Picture:
        height, width = request.photo.shape[:2]
        deadline = self._clock.monotonic() + allowed_seconds(request.steps, height * width)
        wanted = (OutputSpec("picture", (height, width, 3), "UINT8"),)
        try:
            answer = await self._client.infer(NAME, _tensors(request), wanted, deadline=deadline)
        except (TensorRefused, ModelAnswerBroken) as error:
            # The slot may have been filled anew since the styles were asked for.
            self._facts = None
            raise _refusal(error) from error
        return np.ascontiguousarray(answer.pixels("picture")[0])

    async def _served(self) -> Facts:
        if self._facts is None:
            self._facts = await self._client.facts(NAME)
            self._gate.limit.set_ceiling(self._facts.instances, self._facts.instances)
            self._gate.admit()
        return self._facts


def allowed_seconds(steps: int, pixels: int) -> float:
    """Returns how long a picture may take before its server counts as stuck; ten times what two cores need."""
    return _SECONDS_TO_BEGIN + steps * (_SECONDS_FOR_A_STEP + _SECONDS_FOR_MEGAPIXEL_STEP * pixels / 1e6)


def _styles(facts: Facts) -> tuple[str, ...]:
    names = facts.parameters.get("styles", "")
    if not names:
        raise ModelMissing(NAME, "the server's configuration names no styles; assemble its model repository anew")
    return tuple(names.split(","))


def _tensors(request: RestyleRequest) -> Tensors:
    return {
        "photo": request.photo[None],
        "style": np.array([[request.style]], np.int32),
        "steps": np.array([[request.steps]], np.int32),
        "strength": np.array([[request.strength]], np.float32),
        "seed": np.array([[request.seed]], np.int64),
    }


def _refusal(error: TensorRefused | ModelAnswerBroken) -> Exception:
    """Returns what the served model has said as `REASON [field]: message`, or else the error as it is."""
    said = _REFUSAL.search(str(error))
    kind = _KINDS.get(said.group(1)) if said else None
    return kind(said.group(3), field=said.group(2)) if said and kind else error
