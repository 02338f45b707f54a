"""Environments: one file each, with the values of every chart."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import yaml

from deploy.charts import ENVIRONMENTS

Values: TypeAlias = dict[str, Any]
"""Values of a chart, as YAML has them."""


class EnvironmentUnknown(Exception):
    """There is no such environment, or it says nothing of the chart."""


def environments() -> tuple[str, ...]:
    """Return the names of the environments."""
    return tuple(sorted(file.stem for file in ENVIRONMENTS.glob("*.yaml")))


def values(environment: str, chart: str) -> Values:
    """Return an environment's values of a chart.

    Raises:
        EnvironmentUnknown: the names are those that the message lists.
    """
    if environment not in environments():
        raise EnvironmentUnknown(f"environment {environment}: is none of {', '.join(environments())}")
    found: Mapping[str, Values] = yaml.safe_load((ENVIRONMENTS / f"{environment}.yaml").read_text(encoding="utf-8"))
    if chart not in found:
        raise EnvironmentUnknown(
            f"environment {environment}: has no values of the chart {chart}, but of {', '.join(found)}"
        )
    return found[chart]
