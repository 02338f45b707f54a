"""Profiles, manifests and the configurations that plans are served by agree."""

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from inference.engines.profiles import profiles, served_models
from inference.engines.targets import DEFAULT_TAG, target
from inference.model_build.manifest import shipped_model
from inference.repository import SHIPPED

PROFILES = profiles()
CONFIGS = {
    path.parent.name: text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
    for path in SHIPPED.glob("*/config.pbtxt")
}
PLANS = sorted(name for name, config in CONFIGS.items() if config.platform == "tensorrt_plan")
SHIPPED_PLANS = sorted(served_models(()))


def test_every_model_that_is_served_by_a_plan_has_a_profile() -> None:
    assert [name for name in PLANS if name not in PROFILES] == []


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_takes_the_largest_batch_of_the_configuration_and_tunes_for_a_preferred_one(name: str) -> None:
    config, batch = CONFIGS[name], PROFILES[name].batch
    preferred = list(config.dynamic_batching.preferred_batch_size)

    assert batch.most == max(config.max_batch_size, 1)
    assert batch.least == 1
    assert not preferred or batch.tuned in preferred


@pytest.mark.parametrize("name", PLANS)
def test_fixed_sizes_are_those_of_the_configuration(name: str) -> None:
    configured = {tensor.name: tuple(tensor.dims) for tensor in CONFIGS[name].input}
    batch = () if CONFIGS[name].max_batch_size else (-1,)

    assert {
        tensor: configured[tensor] == (*batch, *sizes) for tensor, sizes in PROFILES[name].shapes.items()
    } == dict.fromkeys(PROFILES[name].shapes, True)
    assert all(size > 0 for sizes in configured.values() for size in sizes[len(batch) :])


@pytest.mark.parametrize("name", PLANS)
def test_every_output_has_a_limit(name: str) -> None:
    limited = {limit.output for limit in PROFILES[name].limits}

    assert limited == {output.name for output in CONFIGS[name].output}


@pytest.mark.parametrize("name", SHIPPED_PLANS)
def test_limits_are_small_against_the_thresholds_they_meet(name: str) -> None:
    thresholds = shipped_model(PROFILES[name].source or name).manifest.thresholds.values()
    smallest = min((value for value in thresholds if value <= 1), default=1.0)
    near = [limit for limit in PROFILES[name].limits if limit.metric in {"euclidean", "sure_score_difference"}]

    assert all(limit.most <= smallest / 10 for limit in near)


def test_the_serving_image_that_is_taken_by_default_is_known() -> None:
    assert target(triton_tag=DEFAULT_TAG, sm=90, gpu=None).tensorrt == "10.5.0.18"
