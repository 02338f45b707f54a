"""Files of the platform: what is applied, and values of the charts of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from deploy.charts.rendering import Object
from tests.contract.products import ROOT

PLATFORM = ROOT / "deploy" / "platform"
Document: TypeAlias = dict[str, Any]


def documents(file: Path) -> Iterator[Document]:
    """Yield the documents of a file that are objects of Kubernetes."""
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        if isinstance(document, dict) and {"apiVersion", "kind"} <= document.keys():
            yield document


def manifests() -> Iterator[Object]:
    """Yield each object that is applied."""
    for file in sorted(PLATFORM.rglob("*.yaml")):
        yield from map(Object, documents(file))


def values_files() -> list[Path]:
    """Return the files with values of charts."""
    return sorted(PLATFORM.rglob("values.yaml"))


def pods() -> Iterator[tuple[str, Document]]:
    """Yield the specification of each pod, with what it belongs to."""
    for each in manifests():
        if pod := each.at("spec", "template", "spec", default=None):
            yield each.identity, pod
