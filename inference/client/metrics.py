"""Metrics of the calls to the server, by model and never by person: names, units and meanings are in the docs.

OpenTelemetry's API alone is used; without a provider in the process nothing is measured.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from inference.client.breaker import State
from inference.client.errors import ModelFault
from inference.client.model_channels import ModelChannel

PREFIX: Final = "pellicule.inference"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_EXAMPLES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
_STATES: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}

Observe: TypeAlias = Callable[[CallbackOptions], Iterable[Observation]]


class Metrics:
    """The instruments of one client."""

    def __init__(self, channels: Iterable[ModelChannel], meter: Meter | None = None) -> None:
        """Make the instruments.

        Args:
            channels: Read at every collection.
            meter: Replaces the process's own.
        """
        meter = meter or metrics.get_meter("inference.client")
        self._outcomes = meter.create_counter(f"{PREFIX}.calls", "{call}", "Calls by model and outcome")
        self._retries = meter.create_counter(f"{PREFIX}.retries", "{request}", "Requests that were sent again")
        self._waits = meter.create_histogram(
            f"{PREFIX}.queue.duration",
            "s",
            "Wait for a slot among the requests in flight",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._durations = meter.create_histogram(
            f"{PREFIX}.request.duration",
            "s",
            "From sending to a response, retries included",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._batches = meter.create_histogram(
            f"{PREFIX}.batch.size",
            "{example}",
            "Examples in a request",
            explicit_bucket_boundaries_advisory=_EXAMPLES,
        )
        _observe(meter, channels)

    @contextmanager
    def call(self, model: str) -> Iterator[None]:
        """Count what the block ends with."""
        outcome = "cancelled"
        try:
            yield
            outcome = "answered"
        except ModelFault as fault:
            outcome = fault.outcome
            raise
        finally:
            self._outcomes.add(1, {"model": model, "outcome": outcome})

    def admitted(self, model: str, seconds: float) -> None:
        """Note a wait for a slot that came to an end."""
        self._waits.record(seconds, {"model": model})

    def answered(self, model: str, seconds: float, examples: int) -> None:
        """Note a response."""
        self._durations.record(seconds, {"model": model})
        self._batches.record(examples, {"model": model})

    def retried(self, model: str) -> None:
        """Note that a request is sent again."""
        self._retries.add(1, {"model": model})


def _observe(meter: Meter, channels: Iterable[ModelChannel]) -> None:
    def gauge(value: Callable[[ModelChannel], int]) -> list[Observe]:
        return [lambda _: [Observation(value(channel), {"model": channel.model}) for channel in channels]]

    meter.create_observable_gauge(
        f"{PREFIX}.in_flight", gauge(lambda channel: channel.gate.inside), "{request}", "Requests in flight"
    )
    meter.create_observable_gauge(
        f"{PREFIX}.waiting", gauge(lambda channel: channel.gate.waiting), "{request}", "Requests that wait for a slot"
    )
    meter.create_observable_gauge(
        f"{PREFIX}.limit",
        gauge(lambda channel: channel.gate.limit.value),
        "{request}",
        "Requests that may be in flight",
    )
    meter.create_observable_gauge(
        f"{PREFIX}.breaker",
        gauge(lambda channel: _STATES[channel.breaker.state]),
        "{state}",
        "State of the breaker: 0 closed, 1 half open, 2 open",
    )
