"""Values of the models' chart: what is unknown or contradictory is refused by its name, and the rest is let in."""

from collections.abc import Sequence
from typing import Any

import pytest
from helm_python import HelmError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.charts.environments import Values, values
from tests.contract.charts.releases import at, chart, over
from tests.contract.charts.rules import RULES
from tests.contract.charts.shapes import NEWEST, validate, validate_custom
from tests.contract.charts.test_values import _open

PRODUCTION = values("production", "inference")


def _refusal(*layers: Values, release: str = "") -> str:
    with pytest.raises(HelmError) as refused:
        chart("inference").objects(over(PRODUCTION, *layers), release=release)
    return str(refused.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("procesor", "gpu"),
        ("server.replica", 3),
        ("server.resources.request", {}),
        ("models.claim.nam", "models"),
        ("bucket.endpont", "https://s3.example.com"),
        ("canary.every", 5),
        ("kserve.canary", [{"repository": "gpu-0123456789ab", "trafficPercent": 5, "model": "x"}]),
        ("load.scenarios.model", ["face_detector"]),
    ],
)
def test_a_typo_is_refused_by_its_name(path: str, value: Any) -> None:
    named = "model" if path == "kserve.canary" else path.rpartition(".")[2]

    assert named in _refusal(at(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("mode", "knative"),
        ("processor", "tpu"),
        ("models.repository", "cpu"),
        ("server.replicas", -1),
        ("autoscaling.minReplicas", 0),
        ("server.extraArgs", ["; rm -rf /"]),
        ("image.digest", "sha256:abc"),
        ("bucket.endpoint", "s3.example.com"),
        ("load.scenarios.names", ["chaos"]),
        ("disruptionBudget.maxUnavailable", 0),
    ],
)
def test_a_value_that_means_nothing_is_refused_where_it_stands(path: str, value: Any) -> None:
    assert path.replace(".", "/") in _refusal(at(path, value))


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        ({"models": {"repository": ""}}, "pellicule models publish"),
        ({"models": {"claim": {"name": "models"}}}, "models.claim.name"),
        ({"tls": {"issuer": {"name": ""}}}, "tls.existingSecret"),
        ({"mode": "kserve", "server": {"replicas": 0}}, "mode to deployment"),
        ({"engines": {"enabled": True, "networks": "cpu-0123456789ab"}}, "processor"),
        ({"processor": "gpu", "engines": {"enabled": True}}, "engines.networks"),
        ({"autoscaling": {"prometheus": ""}}, "autoscaling.prometheus"),
        ({"autoscaling": {"minReplicas": 9}}, "autoscaling.minReplicas"),
        ({"kserve": {"canary": [{"repository": "cpu-0123456789ab", "trafficPercent": 5}]}}, "kserve.canary"),
    ],
)
def test_values_that_contradict_each_other_are_refused_with_the_remedy(layer: Values, named: str) -> None:
    assert named in _refusal(layer)


def test_a_release_whose_names_would_be_cut_is_refused() -> None:
    assert "longer than 30 characters" in _refusal(release="a" * 31)


def test_the_schema_is_closed_and_knows_every_value() -> None:
    handle = chart("inference").handle

    assert list(_open(handle.schema, "")) == []
    handle.validate_schema(handle.values)


def test_nothing_is_served_by_default() -> None:
    with pytest.raises(HelmError, match=r"models\.repository"):
        chart("inference").objects()


_FLAGS = ("--log-verbose=1", "--grpc-infer-response-compression-level=low")
_ENGINES = {"engines": {"enabled": True, "networks": "cpu-00000000000f"}}
_CANARY = {"kserve": {"canary": [{"repository": "cpu-00000000000f", "trafficPercent": 5}]}}
# One of each is laid over the other: together they contradict nothing.
_VALUES = st.tuples(
    st.sampled_from([{}, {"mode": "kserve"}, {"mode": "kserve", **_CANARY}]),
    st.sampled_from([{}, {"processor": "gpu"}, {"processor": "gpu", **_ENGINES}]),
    st.sampled_from([{}, {"models": {"repository": "", "claim": {"name": "models", "path": "cpu"}}}]),
    st.sampled_from([{}, {"bucket": {"ca": {"secret": "authority"}}}]),
    st.sampled_from([{}, {"tls": {"existingSecret": "mine"}}]),
    st.sampled_from([{}, {"autoscaling": {"enabled": False}}, {"autoscaling": {"authentication": "prometheus"}}]),
    st.sampled_from([{}, {"networkPolicy": {"callers": []}}, {"networkPolicy": {"metricsFrom": []}}]),
    st.fixed_dictionaries(
        {
            "server": st.fixed_dictionaries(
                {},
                optional={
                    "replicas": st.integers(1, 9),
                    "gpus": st.integers(1, 8),
                    "extraArgs": st.lists(st.sampled_from(_FLAGS), max_size=2),
                    "nodeSelector": st.sampled_from([{}, {"nvidia.com/gpu.product": "NVIDIA-L4"}]),
                    "tolerations": st.sampled_from([[], [{"key": "spot", "operator": "Exists"}]]),
                    "runtimeClassName": st.sampled_from(["", "nvidia"]),
                    "podAnnotations": st.sampled_from([{}, {"example.com/a": "b"}]),
                },
            ),
            "load": st.fixed_dictionaries(
                {
                    "claim": st.sampled_from(["", "results"]),
                    "scenarios": st.fixed_dictionaries({"enabled": st.booleans()}),
                    "perfAnalyzer": st.fixed_dictionaries({"enabled": st.booleans()}),
                }
            ),
        }
    ),
)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(_VALUES)
def test_whatever_may_be_set_is_let_into_a_cluster(layers: Sequence[Values]) -> None:
    objects = chart("inference").objects(over(PRODUCTION, *layers))

    assert [(rule, wrong) for rule, check in RULES.items() for wrong in check(objects)] == []
    for each in objects:
        validate_custom(each) if each.is_custom else validate(each, NEWEST)
