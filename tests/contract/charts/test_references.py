"""Secrets and ConfigMaps that objects refer to: each is named in the values, or made by the release."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from deploy.charts.rendering import Object
from tests.contract.charts.releases import each_case, merged_values, rendered
from tests.contract.charts.rules_of_objects import of_kind

_OF_EVERY_NAMESPACE = {"kube-root-ca.crt"}
_KEYS = frozenset({"secret", "configMap", "secretKeyRef", "configMapKeyRef", "secretRef", "configMapRef"})


def _referred(value: Any) -> Iterator[str]:
    """Yield the name of every Secret and ConfigMap that stands somewhere below."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key in _KEYS and isinstance(below, dict) and ("name" in below or "secretName" in below):
                yield str(below.get("name", below.get("secretName")))
            yield from _referred(below)
    elif isinstance(value, list):
        for each in value:
            yield from _referred(each)


def _told(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _told(below)


def _invented(objects: Sequence[Object], values: dict[str, Any]) -> set[str]:
    made = {each.at("spec", "secretName") for each in of_kind(objects, "Certificate")}
    referred = {name for each in objects for name in _referred(each.document)}
    return referred - made - set(_told(values)) - _OF_EVERY_NAMESPACE


@each_case
def test_every_secret_is_one_that_the_values_name(name: str, environment: str) -> None:
    assert _invented(rendered(name, environment), merged_values(name, environment)) == set()


def test_a_secret_that_no_value_names_is_found() -> None:
    objects = [Object(deepcopy(each.document)) for each in rendered("pellicule", "production")]
    job = next(each for each in objects if each.kind == "Job")
    row = job.at("spec", "template", "spec", "containers")[0]["env"]
    row.append({"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "invented", "key": "key"}}})

    assert _invented(objects, merged_values("pellicule", "production")) == {"invented"}


def test_a_role_names_no_other_secret_than_the_values_do() -> None:
    roles = of_kind(rendered("pellicule", "production"), "Role")
    named = {name for role in roles for rule in role.at("rules") for name in rule["resourceNames"]}

    assert named == {merged_values("pellicule", "production")["epochs"]["existingSecret"]}
