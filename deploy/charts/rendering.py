"""Rendering of the charts without a cluster: what an installation, an upgrade or a test would send to one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import helm_python
import yaml

from deploy.charts import CHARTS
from deploy.charts.environments import Values

NAMESPACE = "photos"
# What Helm would call the releases; each name is as long as people give them.
RELEASES: Mapping[str, str] = {"inference": "pellicule-inference", "pellicule": "pellicule"}


@dataclass(frozen=True)
class Object:
    """An object that a chart renders to.

    Attributes:
        document: As the cluster gets it.
        source: The template that it comes from.
    """

    document: dict[str, Any]
    source: str = field(default="", compare=False)

    @property
    def kind(self) -> str:
        """What it is, such as `Deployment`."""
        return str(self.document["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def identity(self) -> str:
        """What no other object of a release has: kind and name."""
        return f"{self.kind}/{self.name}"

    @property
    def is_custom(self) -> bool:
        """Whether it is of a kind that Kubernetes itself does not have."""
        group = str(self.document["apiVersion"]).rpartition("/")[0]
        return ("." in group and not group.endswith(".k8s.io")) or group == "gateway.networking.k8s.io"

    @property
    def hooks(self) -> Sequence[str]:
        """When it is applied, if it is a hook."""
        return str(self.at("metadata", "annotations", "helm.sh/hook", default="")).split(",")

    @property
    def is_hook(self) -> bool:
        """Whether it is applied beside the release."""
        return self.hooks != [""]

    def at(self, *path: str, default: Any = None) -> Any:
        """Return what stands at a path of keys."""
        found: Any = self.document
        for key in path:
            if not isinstance(found, dict) or key not in found:
                return default
            found = found[key]
        return found


@dataclass(frozen=True)
class Chart:
    """A chart, loaded once and rendered often.

    Attributes:
        name: Of the chart.
        handle: What Helm holds of it.
    """

    name: str
    handle: helm_python.Chart

    @classmethod
    def load(cls, name: str) -> "Chart":
        """Read it from `charts/`."""
        return cls(name, helm_python.Chart.load(CHARTS / name))

    def text(self, values: Values | None = None, *, release: str = "", upgrade: bool = False) -> Mapping[str, str]:
        """Return what each template renders to, notes included.

        Raises:
            HelmError: the values are refused; the message names them.
        """
        # Rendering alone lets values through that the schema refuses.
        self.handle.validate_schema(values or {})
        return self.handle.render(
            values or {},
            name=release or RELEASES[self.name],
            namespace=NAMESPACE,
            is_install=not upgrade,
            is_upgrade=upgrade,
        )

    def objects(self, values: Values | None = None, *, release: str = "", upgrade: bool = False) -> Sequence[Object]:
        """Return the objects that the templates render to.

        Raises:
            HelmError: the values are refused; the message names them.
        """
        rendered = self.text(values, release=release, upgrade=upgrade)
        return [found for source, text in sorted(rendered.items()) for found in _parsed(source, text)]


def _parsed(source: str, text: str) -> Iterator[Object]:
    if source.endswith((".yaml", ".yml")):
        yield from (Object(document, source) for document in yaml.load_all(text, yaml.CSafeLoader) if document)
