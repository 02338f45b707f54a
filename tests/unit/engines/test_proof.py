"""A plan is known by its own limits: nearer than they allow it never comes, and further it must not."""

import numpy as np
import pytest

from inference.engines.proof import PRECISION_PARAMETER, PlanGolden, as_served
from inference.model_build.errors import GoldenMismatch
from inference.model_build.golden import Golden, Tensors, golden
from inference.model_build.manifest import shipped_model


def embedder() -> Golden:
    return golden(shipped_model("face_embedder"))


def moved(pair: Golden, output: str, by: float) -> Tensors:
    """Make the golden answers, one number of an output off."""
    answers = {name: array.astype(np.float32) for name, array in pair.answers.items()}
    answers[output].flat[0] += by
    return answers


def test_only_what_a_plan_serves_says_what_it_computes_in() -> None:
    pair = embedder()

    assert as_served(pair, {"identity": "face_embedder-1"}) is pair
    assert isinstance(as_served(pair, {PRECISION_PARAMETER: "fp16"}), PlanGolden)


def test_half_precision_may_move_an_answer_as_far_as_when_it_was_committed() -> None:
    pair = embedder()
    plan = as_served(pair, {PRECISION_PARAMETER: "fp16"})

    plan.check(moved(pair, "descriptor", 0.019))
    with pytest.raises(GoldenMismatch, match="off by"):
        pair.check(moved(pair, "descriptor", 0.019))
    with pytest.raises(GoldenMismatch, match=r"'descriptor' has a euclidean of 0\.021, and 0\.02 is the most"):
        plan.check(moved(pair, "descriptor", 0.021))


@pytest.mark.parametrize("model", ["face_detector", "scene_classifier", "text_detector", "text_reader", "text_encoder"])
def test_the_recorded_answers_themselves_are_right(model: str) -> None:
    pair = golden(shipped_model(model))

    as_served(pair, {PRECISION_PARAMETER: "fp16"}).check(_whole(pair))


@pytest.mark.parametrize("broken", ["missing", "shape", "nan"])
def test_an_answer_that_is_none_is_told_by_name(broken: str) -> None:
    pair = embedder()
    outputs = dict(moved(pair, "descriptor", np.nan if broken == "nan" else 0))
    if broken == "missing":
        del outputs["descriptor"]
    if broken == "shape":
        outputs["descriptor"] = np.zeros((1, 12), np.float32)

    with pytest.raises(GoldenMismatch, match="output 'descriptor'"):
        as_served(pair, {PRECISION_PARAMETER: "fp16"}).check(outputs)


def _whole(pair: Golden) -> Tensors:
    """Fill the answers up to the shapes that a model has: only the leading corner of some is kept."""
    outputs = {}
    for spec in pair.outputs:
        kept = pair.answers[spec.name]
        whole = np.zeros((1, *spec.shape), kept.dtype)
        whole[tuple(slice(length) for length in kept.shape)] = kept
        outputs[spec.name] = whole
    return outputs
