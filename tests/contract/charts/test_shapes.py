"""Objects, held to the schemas of Kubernetes and, where they are at hand, of those who define the others."""

import kubernetes_validate
import pytest

from deploy.charts.environments import values
from deploy.charts.rendering import Object
from tests.contract.charts.releases import CASES, SMOKE, chart, each_case, over, rendered
from tests.contract.charts.shapes import CRDS, NEWEST, OLDEST, validate, validate_custom


@each_case
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field(name: str, environment: str, version: str) -> None:
    for each in rendered(name, environment):
        if not each.is_custom:
            validate(each, version)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field_of_helm_test(version: str) -> None:
    for each in chart("pellicule").objects(over(values("development", "pellicule"), SMOKE)):
        if not each.is_custom:
            validate(each, version)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    broken = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "automountToken": False}

    with pytest.raises(kubernetes_validate.ValidationError, match="automountToken"):
        validate(Object(broken), NEWEST)


def _custom(name: str, environment: str) -> list[Object]:
    return [each for each in rendered(name, environment) if each.is_custom]


@pytest.mark.parametrize(("name", "environment"), [case for case in CASES if _custom(*case)])
def test_custom_resources_have_the_shape_of_their_definitions(name: str, environment: str) -> None:
    unchecked = sorted({each.kind for each in _custom(name, environment) if not validate_custom(each)})
    if unchecked:
        why = "PELLICULE_CRDS names no folder" if not CRDS else "PELLICULE_CRDS has no definition"
        pytest.skip(f"{why} of custom resources: {', '.join(unchecked)} not checked")
