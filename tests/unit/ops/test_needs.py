"""What an environment needs of a cluster, read out of its values."""

import pytest

from deploy.ops.checks.needs import needs_of

NEEDS = {
    "minimal": (set[str](), False),
    "development": ({"keda"}, False),
    "production": ({"cert-manager", "keda", "edge"}, False),
    "production-gpu": ({"cert-manager", "keda", "edge", "kserve"}, True),
    "knative": ({"cert-manager", "keda", "knative"}, False),
}


@pytest.mark.parametrize("environment", NEEDS)
def test_an_environment_needs_what_it_asks_for(environment: str) -> None:
    needed = needs_of(environment, "photos")

    assert ({*needed.pieces}, needed.gpu, needed.namespace) == (*NEEDS[environment], "photos")
