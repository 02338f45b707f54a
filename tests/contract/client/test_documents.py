"""What `docs/inference-client.md` says of the client, held to the client."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from inference.client import errors
from inference.client.error_classes import TABLE, ErrorClass
from inference.client.errors import ModelFault
from services.analysis.domain.retries import MAX_FAULTS
from tests.fakes.clock import FakeClock
from tests.unit.client.wires import FakeWire, client_on, fails, infer_once

TEXT = (Path(__file__).parents[3] / "docs" / "inference-client.md").read_text("utf-8")


def tables() -> Iterator[list[list[str]]]:
    """Yield the rows of each table, without its head."""
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        yield rows[2:]


def test_the_table_is_the_clients_own() -> None:
    documented = next(tables())
    assert documented == [[f"`{row.code}`", row.fragment, row.event, row.error_class.value] for row in TABLE]


def test_every_error_class_says_what_is_done_about_it() -> None:
    _, rows, _ = tables()
    assert {row[0] for row in rows} == set(ErrorClass)
    assert {row[2].strip("`") for row in rows} <= {fault.__name__ for fault in _faults()}
    assert {8: "eight"}[MAX_FAULTS] in TEXT


@pytest.mark.parametrize("error_class", ErrorClass)
async def test_callers_get_the_error_that_the_document_names(error_class: ErrorClass) -> None:
    _, rows, _ = tables()
    wire = FakeWire()
    wire.steps.extend([fails(error_class)] * 3)
    with pytest.raises(ModelFault) as caught:
        await infer_once(client_on(wire, Impatient()))
    assert f"`{type(caught.value).__name__}`" == {row[0]: row[2] for row in rows}[error_class]


async def test_every_measurement_is_documented() -> None:
    reader = InMemoryMetricReader()
    wire = FakeWire()
    wire.steps.append(fails(ErrorClass.RETRY))
    await infer_once(client_on(wire, Impatient(), meter=MeterProvider([reader]).get_meter("test")))
    data = reader.get_metrics_data()
    assert data is not None
    measured = {
        (f"`{metric.name}`", f"`{metric.unit}`")
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    *_, documented = tables()
    assert {(row[0], row[1]) for row in documented} == measured
    outcomes = {fault.outcome for fault in _faults() if fault is not ModelFault} | {"answered", "cancelled"}
    assert set(re.findall(r"`([a-z_]+)`", documented[0][2])) == outcomes


class Impatient(FakeClock):
    """A clock on which no test has to wait."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)


def _faults() -> list[type[ModelFault]]:
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ModelFault)]
