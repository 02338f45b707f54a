"""What is measured, as a collector sees it."""

import asyncio

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint

from inference.client.client import InferenceClient
from inference.client.error_classes import ErrorClass
from inference.client.errors import ModelFault
from inference.client.retries import CallPolicy
from tests.fakes.clock import FakeClock
from tests.unit.client.wires import MODEL, FakeWire, client_on, fails, infer_once, takes


class Measured:
    """A client, and what is collected of it."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self._provider = MeterProvider([self.reader])
        self.wire, self.clock = FakeWire(), FakeClock()
        self.client: InferenceClient = client_on(
            self.wire, self.clock, CallPolicy(first_retry=0), meter=self._provider.get_meter("test")
        )

    def points(self, name: str) -> list[NumberDataPoint | HistogramDataPoint]:
        data = self.reader.get_metrics_data()
        found = [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
            if metric.name == f"pellicule.inference.{name}"
        ]
        return [point for point in found if isinstance(point, NumberDataPoint | HistogramDataPoint)]

    def number(self, name: str) -> float:
        (point,) = self.points(name)
        assert isinstance(point, NumberDataPoint)
        assert dict(point.attributes or {}) == {"model": MODEL}
        return point.value

    def histogram(self, name: str) -> tuple[int, float]:
        (point,) = self.points(name)
        assert isinstance(point, HistogramDataPoint)
        return point.count, point.sum


@pytest.fixture
def measured() -> Measured:
    return Measured()


async def test_every_outcome_is_counted_by_model(measured: Measured) -> None:
    await infer_once(measured.client)
    for error_class in (
        ErrorClass.OVERLOAD,
        ErrorClass.REFUSED,
        ErrorClass.MISSING,
        ErrorClass.FAILED,
        ErrorClass.MEMORY,
        ErrorClass.BREAK,
    ):
        measured.wire.steps.append(fails(error_class))
        with pytest.raises(ModelFault):
            await infer_once(measured.client)
    outcomes = {dict(point.attributes or {})["outcome"]: point for point in measured.points("calls")}
    assert set(outcomes) == {
        "answered",
        "busy",
        "refused",
        "missing",
        "broken",
        "out_of_memory",
        "unavailable",
    }


async def test_waits_answers_and_batches_are_measured(measured: Measured) -> None:
    measured.wire.steps.append(takes(measured.clock, 2))
    task = asyncio.create_task(infer_once(measured.client))
    await measured.clock.advance(0)
    assert measured.number("in_flight") == 1
    await measured.clock.advance(2)
    await task
    assert measured.histogram("request.duration") == (1, 2.0)
    assert measured.histogram("queue.duration") == (1, 0.0)
    assert measured.histogram("batch.size") == (1, 1.0)
    assert (measured.number("in_flight"), measured.number("waiting"), measured.number("limit")) == (0, 0, 16)


async def test_retries_and_the_state_of_the_breaker_are_measured(measured: Measured) -> None:
    measured.wire.steps.extend([fails(ErrorClass.RETRY)] * 2)
    await infer_once(measured.client)
    assert (measured.number("retries"), measured.number("breaker")) == (2, 0)
    measured.wire.steps.append(fails(ErrorClass.BREAK))
    with pytest.raises(ModelFault):
        await infer_once(measured.client)
    assert measured.number("breaker") == 2
    await measured.clock.advance(10)
    assert measured.number("breaker") == 1
