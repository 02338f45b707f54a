"""A cluster in memory: objects by the path that Kubernetes' API has them at."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.ops.checks.cluster import Document, ReadRefused

_DOMAINS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_NOTHING: Mapping[str, Any] = {}


class FakeCluster:
    """Implements `deploy.ops.checks.cluster.Cluster`."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.objects: dict[str, dict[str, Any]] = {}
        self.refused: set[str] = set()

    def items(self, path: str, labels: str = "") -> Sequence[Document]:
        self._ask(path)
        wanted = dict(each.split("=", 1) for each in labels.split(",") if each)
        return [each for each in self.lists.get(path, []) if wanted.items() <= _labels(each).items()]

    def one(self, path: str) -> Document | None:
        self._ask(path)
        return self.objects.get(path)

    def _ask(self, path: str) -> None:
        if path in self.refused:
            raise ReadRefused(path)

    def add(self, path: str, name: str, *, labels: Mapping[str, str] = _NOTHING, **fields: Any) -> dict[str, Any]:
        """Add an object to a list, and return it."""
        document = {"metadata": {"name": name, "labels": dict(labels)}, **fields}
        self.lists.setdefault(path, []).append(document)
        self.objects[f"{path}/{name}"] = document
        return document

    def define(self, kind: str, *versions: str) -> None:
        """Add a CustomResourceDefinition that serves versions."""
        served = [{"name": version, "served": True} for version in versions]
        self.add(_DOMAINS, kind, spec={"versions": served})


def _labels(document: Mapping[str, Any]) -> Mapping[str, str]:
    labels: Mapping[str, str] = document["metadata"]["labels"]
    return labels


def condition(name: str, status: str = "True") -> dict[str, Any]:
    """Return a status with one condition."""
    return {"conditions": [{"type": name, "status": status}]}
