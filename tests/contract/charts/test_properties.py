"""Whatever the values, as long as the schema takes them: what they render to is let in, and Kubernetes knows it."""

import pytest
from hypothesis import HealthCheck, given, settings

from deploy.charts.environments import Values
from tests.contract.charts import strategies
from tests.contract.charts.releases import chart
from tests.contract.charts.rules import RULES
from tests.contract.charts.shapes import OLDEST, validate

EXAMPLES = 12
BOUNDED = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
# What the values drawn have to reach, so that the test asks something.
REACHED = {
    "autoscaling/v2 HorizontalPodAutoscaler",
    "cert-manager.io/v1 Certificate",
    "gateway.networking.k8s.io/v1 GRPCRoute",
    "keda.sh/v1alpha1 ScaledObject",
    "serving.knative.dev/v1 Service",
    "v1 Pod",
}


def test_every_object_is_let_in_whatever_the_values() -> None:
    kinds: set[str] = set()

    @BOUNDED
    @given(values=strategies.values, release=strategies.releases)
    def let_in(values: Values, release: str) -> None:
        objects = chart("pellicule").objects(values, release=release)
        kinds.update(f"{each.document['apiVersion']} {each.kind}" for each in objects)

        assert {rule: found for rule, about in RULES.items() if (found := list(about(objects)))} == {}
        for each in objects:
            if not each.is_custom:
                validate(each, OLDEST)

    let_in()
    assert kinds >= REACHED


@pytest.mark.parametrize("release", ["a", "a" * 30])
def test_names_are_whole_for_the_shortest_and_the_longest_release(release: str) -> None:
    assert all(each.name.startswith(f"{release}-") for each in chart("pellicule").objects(_LEAST, release=release))


_LEAST: Values = {"tokens": {"jwksUrl": "https://id.example.com/keys"}}
