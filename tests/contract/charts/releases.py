"""Every chart under every environment, rendered once for all tests."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from deploy.charts import charts
from deploy.charts.environments import Values, environments, values
from deploy.charts.rendering import Chart, Object

Case = tuple[str, str]
CASES: Sequence[Case] = [(chart, environment) for chart in charts() for environment in environments()]
PELLICULE: Sequence[Case] = [case for case in CASES if case[0] == "pellicule"]

# What no environment sets, and what everything has been switched on with.
SMOKE: Values = {"smoke": {"issuerKey": {"secret": "pellicule-test-issuer"}}}


@cache
def chart(name: str) -> Chart:
    """Return a chart, loaded once."""
    return Chart.load(name)


@cache
def rendered(name: str, environment: str) -> Sequence[Object]:
    """Return what an environment renders to."""
    return chart(name).objects(values(environment, name))


@cache
def merged_values(name: str, environment: str) -> Values:
    """Return an environment's values over the chart's own."""
    found: Values = chart(name).handle.merge_values(values(environment, name))
    return found


def over(base: Mapping[str, Any], *layers: Mapping[str, Any]) -> Values:
    """Return values with others laid over them, as Helm lays one file over another."""
    result = dict(base)
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            result[key] = over(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return result


def at(path: str, value: Any) -> Values:
    """Return values in which one is set, by its path such as `server.replicas`."""
    first, _, rest = path.partition(".")
    return {first: at(rest, value) if rest else value}


each_case = pytest.mark.parametrize(("name", "environment"), CASES)
each_environment = pytest.mark.parametrize("environment", environments())
