"""How far answers moved, against the limits of a profile."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from inference.engines.metrics import METRICS, Tensors, all_finite
from inference.engines.probes import Probe
from inference.engines.profiles import Limit

Outputs = Sequence[Tensors]


class Delta(BaseModel):
    """How far an output came from single precision, at worst.

    Attributes:
        output: the output.
        metric: how it is measured (`inference.engines.metrics`).
        value: the largest over all probes; infinite when an answer held NaN or infinity.
        most: what it may come to.
        probe: the probe at which it was largest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    output: str
    metric: str
    value: float
    most: float
    probe: str

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        return self.value <= self.most


def deltas(limits: Sequence[Limit], probes: Sequence[Probe], got: Outputs, want: Outputs) -> tuple[Delta, ...]:
    """Measures every limit over all probes and keeps the worst of each."""
    return tuple(_worst(limit, probes, got, want) for limit in limits)


def _worst(limit: Limit, probes: Sequence[Probe], got: Outputs, want: Outputs) -> Delta:
    values = [_value(limit, answer, right) for answer, right in zip(got, want, strict=True)]
    worst = int(np.argmax(values))
    return Delta(**limit.model_dump(), value=values[worst], probe=probes[worst].name)


def _value(limit: Limit, got: Tensors, want: Tensors) -> float:
    return METRICS[limit.metric](got, want, limit.output) if all_finite(got) else float("inf")
