"""Client of the restyler: one picture a call, with the refusals of the served model as errors of their own."""

import re
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

import numpy as np

from inference.client.client import InferenceClient
from inference.client.clock import Clock
from inference.client.errors import ModelAnswerBroken, ModelMissing, TensorRefused
from inference.client.model_channels import SLOW_MODELS
from inference.client.tensors import OutputSpec, Tensors
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

_SECONDS_TO_BEGIN: Final = 10.0
_SECONDS_FOR_A_STEP: Final = 1.0
_SECONDS_FOR_MEGAPIXEL_STEP: Final = 60.0
_REFUSAL: Final = re.compile(r"([A-Z_]+) \[([^\]]*)\]: (.*)", re.DOTALL)
_KINDS: Final[dict[str, type[RestylingError]]] = {
    kind.reason: kind
    for kind in (PictureNotRgb, PictureTooSmall, PictureTooLarge, StyleUnknown, ParameterOutOfRange, NetworkFailed)
}


class RestylerClient:
    """Client of the restyler. One for each event loop; close it by leaving its context.

    The inference client beneath sends one picture at a time to each instance of the server, lets a few wait, and ends
    the work on the server when a task is cancelled.
    """

    def __init__(
        self, address: str, clock: Clock, *, most_waiting: int | None = None, wire: Wire | None = None
    ) -> None:
        """Prepare; nothing is sent before the first call.

        Args:
            address: `host:port` of the server's gRPC endpoint.
            clock: The process's clock.
            most_waiting: Pictures that may wait for their turn; by default as many as the inference client lets.
            wire: Takes the place of the connection to `address`.
        """
        policy = SLOW_MODELS[NAME]
        if most_waiting is not None:
            policy = replace(policy, most_waiting=most_waiting)
        self._client = InferenceClient(address, clock, exceptions={NAME: policy}, wire=wire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def styles(self) -> tuple[str, ...]:
        """Return the names of the styles that are served, by index.

        Raises:
            ModelFault: the server does not say.
        """
        names = (await self._client.facts(NAME)).parameters.get("styles", "")
        if not names:
            raise ModelMissing(NAME, "the server's configuration names no styles; assemble its model repository anew")
        return tuple(names.split(","))

    async def identity(self) -> str:
        """Return the name and version of the model that is served; empty when the server does not say.

        Raises:
            ModelFault: the server does not answer.
        """
        return (await self._client.facts(NAME)).identity

    async def restyle(self, request: RestyleRequest) -> Picture:
        """Paint one picture: UINT8, as large as the photo.

        Raises:
            RequestRefused: it cannot be restyled; nothing was sent.
            NetworkFailed: the network's output is no picture.
            ModelBusy: too many pictures wait already, or the turn did not come in time.
            ModelFault: the server does not answer, or not as it should.
        """
        check_request(request, await self.styles())
        height, width = request.photo.shape[:2]
        seconds = allowed_seconds(request.steps, height * width)
        outputs = (OutputSpec("picture", (height, width, 3), "UINT8"),)
        try:
            result = await self._client.infer(NAME, _tensors(request), outputs, response=seconds)
        except (TensorRefused, ModelAnswerBroken) as error:
            raise _refusal(error) from error
        return np.ascontiguousarray(result.pixels("picture")[0])


def allowed_seconds(steps: int, pixels: int) -> float:
    """Return how long a picture may take before its server counts as stuck; ten times what two cores need."""
    return _SECONDS_TO_BEGIN + steps * (_SECONDS_FOR_A_STEP + _SECONDS_FOR_MEGAPIXEL_STEP * pixels / 1e6)


def _tensors(request: RestyleRequest) -> Tensors:
    return {
        "photo": request.photo[None],
        "style": np.array([[request.style]], np.int32),
        "steps": np.array([[request.steps]], np.int32),
        "strength": np.array([[request.strength]], np.float32),
        "seed": np.array([[request.seed]], np.int64),
    }


def _refusal(error: TensorRefused | ModelAnswerBroken) -> Exception:
    """Return what the served model has said as `REASON [field]: message`, or else the error as it is."""
    said = _REFUSAL.search(str(error))
    kind = _KINDS.get(said.group(1)) if said else None
    return kind(said.group(3), field=said.group(2)) if said and kind else error
