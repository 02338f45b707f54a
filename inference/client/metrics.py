"""What is measured of the way to the server, by model and of nobody: names, units and meanings are in the docs.

OpenTelemetry's API alone is used; without a provider in the process nothing is measured.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from inference.client.breaker import State
from inference.client.errors import ModelFault
from inference.client.lanes import Lane

PREFIX: Final = "pellicule.inference"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_EXAMPLES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
_STATES: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}

Observe: TypeAlias = Callable[[CallbackOptions], Iterable[Observation]]


class Metrics:
    """The instruments of one client."""

    def __init__(self, lanes: Iterable[Lane], meter: Meter | None = None) -> None:
        """Makes the instruments.

        Args:
            lanes: Looked at whenever somebody collects.
            meter: Takes the place of the process's own.
        """
        meter = meter or metrics.get_meter("inference.client")
        self._outcomes = meter.create_counter(f"{PREFIX}.questions", "{question}", "Questions by model and outcome")
        self._retries = meter.create_counter(f"{PREFIX}.retries", "{request}", "Requests that were sent again")
        self._waits = meter.create_histogram(
            f"{PREFIX}.queue.duration",
            "s",
            "Wait for a place among the requests in flight",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._durations = meter.create_histogram(
            f"{PREFIX}.request.duration",
            "s",
            "From sending to an answer, retries included",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._batches = meter.create_histogram(
            f"{PREFIX}.batch.size",
            "{example}",
            "Examples in a request",
            explicit_bucket_boundaries_advisory=_EXAMPLES,
        )
        _observe(meter, lanes)

    @contextmanager
    def question(self, model: str) -> Iterator[None]:
        """Counts what the block ends with."""
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
        """Notes a wait for a place that came to an end."""
        self._waits.record(seconds, {"model": model})

    def answered(self, model: str, seconds: float, examples: int) -> None:
        """Notes an answer."""
        self._durations.record(seconds, {"model": model})
        self._batches.record(examples, {"model": model})

    def retried(self, model: str) -> None:
        """Notes that a request is sent again."""
        self._retries.add(1, {"model": model})


def _observe(meter: Meter, lanes: Iterable[Lane]) -> None:
    def gauge(value: Callable[[Lane], int]) -> list[Observe]:
        return [lambda _: [Observation(value(lane), {"model": lane.model}) for lane in lanes]]

    meter.create_observable_gauge(
        f"{PREFIX}.in_flight", gauge(lambda lane: lane.gate.inside), "{request}", "Requests in flight"
    )
    meter.create_observable_gauge(
        f"{PREFIX}.waiting", gauge(lambda lane: lane.gate.waiting), "{request}", "Requests that wait for a place"
    )
    meter.create_observable_gauge(
        f"{PREFIX}.limit", gauge(lambda lane: lane.gate.limit.value), "{request}", "Requests that may be in flight"
    )
    meter.create_observable_gauge(
        f"{PREFIX}.breaker",
        gauge(lambda lane: _STATES[lane.breaker.state]),
        "1",
        "State of the breaker: 0 closed, 1 half open, 2 open",
    )
