"""What `docs/inference-client.md` says of the client, held to the client."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from inference.client import errors
from inference.client.errors import ModelFault
from inference.client.verdicts import TABLE, Verdict
from services.analysis.domain import MAX_FAULTS
from tests.fakes.clock import FakeClock
from tests.unit.client.wires import FakeWire, ask, client_on, fails

TEXT = (Path(__file__).parents[3] / "docs" / "inference-client.md").read_text("utf-8")


def tables() -> Iterator[list[list[str]]]:
    """Yields the rows of each table, without its head."""
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        yield rows[2:]


def test_the_table_is_the_clients_own() -> None:
    documented = next(tables())
    assert documented == [[f"`{row.code}`", row.fragment, row.event, row.verdict.value] for row in TABLE]


def test_every_verdict_says_what_is_done_about_it() -> None:
    _, verdicts, _ = tables()
    assert {row[0] for row in verdicts} == set(Verdict)
    assert {row[2].strip("`") for row in verdicts} <= {fault.__name__ for fault in _faults()}
    assert {8: "eight"}[MAX_FAULTS] in TEXT


@pytest.mark.parametrize("verdict", Verdict)
async def test_callers_get_the_error_that_the_document_names(verdict: Verdict) -> None:
    _, verdicts, _ = tables()
    wire = FakeWire()
    wire.steps.extend([fails(verdict)] * 3)
    with pytest.raises(ModelFault) as caught:
        await ask(client_on(wire, Impatient()))
    assert f"`{type(caught.value).__name__}`" == {row[0]: row[2] for row in verdicts}[verdict]


async def test_every_measurement_is_documented() -> None:
    reader = InMemoryMetricReader()
    wire = FakeWire()
    wire.steps.append(fails(Verdict.RETRY))
    await ask(client_on(wire, Impatient(), meter=MeterProvider([reader]).get_meter("test")))
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
    """A clock on which nobody has to wait."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)


def _faults() -> list[type[ModelFault]]:
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ModelFault)]
