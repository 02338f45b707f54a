"""Objects, held to the schemas of Kubernetes and, where they are at hand, of those who define the others."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from deploy.charts.environments import values
from deploy.charts.rendering import Object
from tests.contract.charts.releases import CASES, SMOKE, chart, each_case, over, rendered

OLDEST, NEWEST = "1.29", "1.34"
_SCHEMAS = cache(utils.schema_contents)
CRDS = os.environ.get("PELLICULE_CRDS", "")
"""A folder of custom resource definitions in YAML: those of others are not copied into the repository."""


@pytest.fixture(autouse=True)
def _schemas_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read each schema once: the package reads 2 MB of definitions again for each object."""
    monkeypatch.setattr(utils, "schema_contents", _SCHEMAS)


@each_case
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field(name: str, environment: str, version: str) -> None:
    for each in rendered(name, environment):
        if not each.is_custom:
            kubernetes_validate.validate(each.document, version, strict=True)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field_of_helm_test(version: str) -> None:
    for each in chart("pellicule").objects(over(values("development", "pellicule"), SMOKE)):
        if not each.is_custom:
            kubernetes_validate.validate(each.document, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    broken = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "automountToken": False}

    with pytest.raises(kubernetes_validate.ValidationError, match="automountToken"):
        kubernetes_validate.validate(broken, NEWEST, strict=True)


@cache
def _schemas() -> Mapping[tuple[str, str], dict[str, Any]]:
    """Return the schemas of custom resources by API version and kind."""
    found = {}
    for file in Path(CRDS).glob("*.yaml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if document and document.get("kind") == "CustomResourceDefinition":
                spec = document["spec"]
                for version in spec["versions"]:
                    identity = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                    found[identity] = _closed(version["schema"]["openAPIV3Schema"])
    return found


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that refuses what it does not name, as a cluster that prunes would drop it without a word."""
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


def _custom(name: str, environment: str) -> list[Object]:
    return [each for each in rendered(name, environment) if each.is_custom]


@pytest.mark.parametrize(("name", "environment"), [case for case in CASES if _custom(*case)])
def test_custom_resources_have_the_shape_of_their_definitions(name: str, environment: str) -> None:
    if not CRDS:
        kinds = ", ".join(sorted({each.kind for each in _custom(name, environment)}))
        pytest.skip(f"PELLICULE_CRDS names no folder of custom resource definitions: {kinds} not checked")
    unknown = set()
    for each in _custom(name, environment):
        schema = _schemas().get((each.document["apiVersion"], each.kind))
        if schema is None:
            unknown.add(each.kind)
        else:
            # Kubernetes fills metadata in; its schema says no more than that it is an object.
            document = {key: value for key, value in each.document.items() if key != "metadata"}
            jsonschema.Draft202012Validator(schema).validate(document)
    if unknown:
        pytest.skip(f"no definition in PELLICULE_CRDS: {', '.join(sorted(unknown))} not checked")
