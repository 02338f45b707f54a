"""Needs of an environment: the pieces of the platform that its values of the charts ask for."""

from collections.abc import Mapping
from typing import Any

import yaml

from deploy.charts import CHARTS
from deploy.charts.environments import values
from deploy.ops.checks.prerequisites import Needed


def needs_of(environment: str, namespace: str) -> Needed:
    """Return what an environment needs of a cluster.

    Raises:
        EnvironmentUnknown: there is none of this name.
    """
    services, models = _values(environment, "pellicule"), _values(environment, "inference")
    given = services["services"].values()
    asked = {
        "cert-manager": bool(services["certificates"]["issuer"]["name"]),
        "keda": services["worker"]["keda"]["enabled"] or models["autoscaling"]["enabled"],
        "edge": services["edge"]["enabled"],
        "knative": any(each["mode"] == "knative" for each in given),
        "kserve": models["mode"] == "kserve",
    }
    return Needed(namespace, tuple(name for name, needed in asked.items() if needed), gpu=models["processor"] == "gpu")


def _values(environment: str, chart: str) -> Mapping[str, Any]:
    own: Mapping[str, Any] = yaml.safe_load((CHARTS / chart / "values.yaml").read_text(encoding="utf-8"))
    return _over(own, values(environment, chart))


def _over(base: Mapping[str, Any], layer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return values with others laid over them, as Helm lays one file over another."""
    both = {
        key: _over(base[key], value) if isinstance(value, Mapping) and isinstance(base.get(key), Mapping) else value
        for key, value in layer.items()
    }
    return {**base, **both}
