"""Release of a cell: both charts, installed from one file of values, and what is seen of their pods."""

import tempfile
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import yaml

from deploy.declarations import SERVICES
from tests.cluster.harness.controllers import has_controller
from tests.cluster.harness.names import INFERENCE, ISSUER_OBJECT, RELEASE, ROOT
from tests.cluster.harness.programs import Cluster, Document

Values = Mapping[str, Any]

ENVIRONMENT: Final = ROOT / "deploy" / "environments" / "development.yaml"
CHARTS: Final[Mapping[str, str]] = {RELEASE: "pellicule", INFERENCE: "inference"}
SELECTOR: Final = f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component in (server,upkeep,worker)"
OWN: Final[Values] = {"smoke": {"issuerKey": {"secret": "pellicule-issuer-key"}}}
"""What the environment leaves to the place: who `helm test` is."""
ISSUED: Final[Values] = {
    "certificates": {"issuer": {"name": ISSUER_OBJECT}},
    "services": {service: {"certificate": {"existingSecret": ""}} for service in SERVICES},
}
"""cert-manager makes the certificates, where it is there."""
_INSTALL_SECONDS: Final = 900


def own(cell: Cluster) -> Values:
    """Return the values of the services that depend on the cluster."""
    return {**OWN, **ISSUED} if has_controller(cell, "cert-manager") else OWN


def inference(cell: Cluster, repository: str) -> Values:
    """Return the values of the models' server that depend on the cluster, and what it serves."""
    issued = {"issuer": {"name": ISSUER_OBJECT}, "existingSecret": ""}
    models: Values = {"models": {"repository": repository}}
    return {**models, "tls": issued} if has_controller(cell, "cert-manager") else models


def values_of(chart: str, *overrides: Values) -> Values:
    """Return the values of a chart: those of the environment, and over them the test's own."""
    values: dict[str, Any] = deepcopy(yaml.safe_load(ENVIRONMENT.read_text(encoding="utf-8"))[chart])
    for override in overrides:
        _lay_over(values, override)
    return values


def install(cell: Cluster, release: str, *overrides: Values, seconds: float = _INSTALL_SECONDS) -> None:
    """Install a chart, or bring what is installed to these values; wait until all is ready."""
    chart = CHARTS[release]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        yaml.safe_dump(values_of(chart, *overrides), file)
        file.flush()
        folder = str(ROOT / "charts" / chart)
        waiting = ("--wait", f"--timeout={seconds:.0f}s")
        cell.helm("upgrade", "--install", release, folder, "--values", file.name, *waiting, seconds=seconds + 60)


def pods(cell: Cluster, selector: str = SELECTOR) -> Sequence[Document]:
    """Return the pods of the release that are not on their way out."""
    return [pod for pod in cell.every("pods", selector) if "deletionTimestamp" not in pod["metadata"]]


def restarts(cell: Cluster) -> Mapping[str, int]:
    """Return how often each container of the release was started again, where it was."""
    counts = {
        f"{pod['metadata']['name']}/{status['name']}": status["restartCount"]
        for pod in pods(cell)
        for status in pod["status"].get("containerStatuses", [])
    }
    return {name: count for name, count in counts.items() if count}


def pod_of(cell: Cluster, service: str, role: str = "server") -> str:
    """Return the name of a pod of a service."""
    selector = (
        f"app.kubernetes.io/part-of=pellicule,app.kubernetes.io/name={service},app.kubernetes.io/component={role}"
    )
    found = pods(cell, selector)
    assert found, f"no pod {service} {role}"
    return str(found[0]["metadata"]["name"])


def _lay_over(values: dict[str, Any], override: Values) -> None:
    for name, value in override.items():
        own = values.get(name)
        if isinstance(own, dict) and isinstance(value, Mapping):
            _lay_over(own, value)
        else:
            values[name] = deepcopy(value)
