"""Shapes of objects: the schemas of Kubernetes, and those of custom resources where their definitions are at hand."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate import utils

from deploy.charts.rendering import Object

OLDEST, NEWEST = "1.29", utils.latest_version()
CRDS = os.environ.get("PELLICULE_CRDS", "")
"""A folder of custom resource definitions in YAML: those of others are not copied into the repository."""

# The package reads 2 MB of definitions again for each object.
_read_once = cache(utils.schema_contents)


def validate(each: Object, version: str) -> None:
    """Validate an object of Kubernetes' own, every field of it.

    Raises:
        kubernetes_validate.ValidationError: that version does not know a field, or wants another type.
    """
    with patch.object(utils, "schema_contents", _read_once):
        kubernetes_validate.validate(each.document, version, strict=True)


def validate_custom(each: Object) -> bool:
    """Validate a custom resource; tell whether its definition is at hand.

    Raises:
        jsonschema.ValidationError: its definition does not know a field, or wants another type.
    """
    schema = _definitions().get((each.document["apiVersion"], each.kind))
    if schema is None:
        return False
    # Kubernetes fills metadata in; a definition says no more than that it is an object.
    jsonschema.Draft202012Validator(schema).validate({**each.document, "metadata": {}})
    return True


@cache
def _definitions() -> Mapping[tuple[str, str], dict[str, Any]]:
    """Return the schemas of custom resources by API version and kind."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for file in Path(CRDS).glob("*.yaml") if CRDS else ():
        for document in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if document and document.get("kind") == "CustomResourceDefinition":
                found |= _of_definition(document["spec"])
    return found


def _of_definition(spec: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    kind = spec["names"]["kind"]
    return {
        (f"{spec['group']}/{version['name']}", kind): _closed(version["schema"]["openAPIV3Schema"])
        for version in spec["versions"]
    }


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that refuses what it does not name: a cluster would drop it without a word."""
    closed = {key: _closed_within(value) for key, value in schema.items()}
    keeps = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in schema and not keeps:
        closed["additionalProperties"] = False
        # What every object has, which definitions leave to Kubernetes.
        closed["properties"] = {"apiVersion": {}, "kind": {}, **closed["properties"]}
    return closed


def _closed_within(value: Any) -> Any:
    if isinstance(value, dict):
        return _closed(value)
    return [_closed_within(each) for each in value] if isinstance(value, list) else value
