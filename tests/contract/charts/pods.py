"""Pods of rendered objects, whatever makes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.charts.rendering import Object

_TEMPLATES: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Service.serving.knative.dev": ("spec", "template"),
    "Pod": (),
}
LASTING = frozenset({"Deployment", "StatefulSet", "Service.serving.knative.dev", "ServingRuntime"})
"""What runs until it is told to stop."""


@dataclass(frozen=True)
class Pod:
    """A pod as something makes it.

    Attributes:
        owner: What makes it.
        kind: The owner's kind, with its group where the kind alone is another one's too.
        spec: The pod's.
        labels: The pod's.
    """

    owner: Object
    kind: str
    spec: dict[str, Any]
    labels: dict[str, str]

    @property
    def containers(self) -> Sequence[dict[str, Any]]:
        """Return its containers, those that begin before the others included."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def lasts(self) -> bool:
        """Whether it runs until it is told to stop."""
        return self.kind in LASTING

    @property
    def is_knative(self) -> bool:
        """Whether Knative runs it."""
        return self.kind == "Service.serving.knative.dev"

    @property
    def volumes(self) -> dict[str, dict[str, Any]]:
        """Return its volumes by their names."""
        return {volume["name"]: volume for volume in self.spec.get("volumes", [])}

    @property
    def ports(self) -> dict[str, int]:
        """Return the numbers of its ports by their names."""
        ports = (port for container in self.spec["containers"] for port in container.get("ports", []))
        return {port.get("name", str(port["containerPort"])): port["containerPort"] for port in ports}


def pods(objects: Sequence[Object]) -> Iterator[Pod]:
    """Yield the pods that objects make."""
    for each in objects:
        kind = kind_of(each)
        if kind == "ServingRuntime":
            yield Pod(each, kind, each.document["spec"], each.at("spec", "labels", default={}))
        elif kind in _TEMPLATES:
            template = each.at(*_TEMPLATES[kind])
            yield Pod(each, kind, template["spec"], template["metadata"].get("labels", {}))


def kind_of(each: Object) -> str:
    """Return an object's kind; with its group if Kubernetes has another of that kind."""
    is_knative = str(each.document["apiVersion"]).startswith("serving.knative.dev/")
    return f"{each.kind}.serving.knative.dev" if is_knative else each.kind


def environment(container: dict[str, Any]) -> dict[str, str | None]:
    """Return a container's environment; None for what comes from a Secret."""
    return {row["name"]: row.get("value") for row in container.get("env", [])}


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Tell whether a label selector matches; an empty one matches everything."""
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
