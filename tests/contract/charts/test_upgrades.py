"""Install, upgrade, another mode, rollback: each step is one that a cluster takes, and each state is whole."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from deploy.charts.environments import Values, environments, values
from deploy.charts.rendering import Object
from tests.contract.charts.releases import at, chart, over
from tests.contract.charts.rules import RULES

# What Kubernetes refuses to change of an object that stays.
IMMUTABLE: dict[str, Sequence[tuple[str, ...]]] = {
    "Deployment": [("spec", "selector")],
    "StatefulSet": [("spec", "selector"), ("spec", "serviceName"), ("spec", "volumeClaimTemplates")],
    "Service": [("spec", "clusterIP")],
    "RoleBinding": [("roleRef",)],
    "Job": [("spec",)],
    "Pod": [("spec",)],
}
KNATIVE = {
    "services": {name: {"mode": "knative"} for name in ("consent", "ingest", "analysis", "suggestion", "retention")}
}
BASE = values("production", "pellicule")
STEPS: Sequence[Values] = (
    BASE,
    over(BASE, at("image.digest", "sha256:" + "1" * 64), at("server.autoscaling.enabled", value=False)),
    over(BASE, KNATIVE, at("edge.enabled", value=False)),
    over(BASE, at("upkeep.apart", value=False), at("worker.keda.enabled", value=False)),
    BASE,
)


@cache
def _states() -> Sequence[Sequence[Object]]:
    return [chart("pellicule").objects(step, upgrade=number > 0) for number, step in enumerate(STEPS)]


def _kept(objects: Sequence[Object]) -> dict[tuple[str, str], Object]:
    """Return the objects that an upgrade changes in place: a hook is made anew."""
    return {(str(each.document["apiVersion"]), each.identity): each for each in objects if not each.is_hook}


def _refused(before: Sequence[Object], after: Sequence[Object]) -> list[str]:
    there = _kept(before)
    return [
        f"{each.identity}: {'.'.join(path)}"
        for identity, each in _kept(after).items()
        if identity in there
        for path in IMMUTABLE.get(each.kind, [])
        if there[identity].at(*path) != each.at(*path)
    ]


def test_no_step_changes_what_cannot_be_changed() -> None:
    assert [_refused(before, after) for before, after in pairwise(_states())] == [[]] * (len(STEPS) - 1)


def test_a_changed_selector_is_found() -> None:
    before = chart("pellicule").objects(BASE)
    after = [
        Object({**each.document, "spec": {"selector": {}}}) if each.kind == "Deployment" else each for each in before
    ]

    assert len(_refused(before, after)) == len([each for each in before if each.kind == "Deployment"])


@pytest.mark.parametrize("rule", RULES)
def test_every_state_on_the_way_is_let_in(rule: str) -> None:
    assert [list(RULES[rule](state)) for state in _states()] == [[]] * len(STEPS)


def test_a_rollback_is_what_was_there() -> None:
    first, *_, last = _states()

    assert {each.identity: each.document for each in last} == {each.identity: each.document for each in first}


def test_another_mode_takes_no_name_that_the_first_one_has() -> None:
    deployed, knative = _states()[0], _states()[2]
    names = {each.name for each in deployed if each.kind == "Service"}
    taken = {each.name for each in knative if str(each.document["apiVersion"]).startswith("serving.knative.dev/")}

    assert taken
    assert names & taken == set()


def test_jobs_that_prepare_are_made_anew_each_time() -> None:
    for each in _states()[0]:
        if each.kind in ("Job", "Pod"):
            assert each.is_hook
            assert "before-hook-creation" in each.at("metadata", "annotations", "helm.sh/hook-delete-policy")


@pytest.mark.parametrize("environment", environments())
def test_an_upgrade_renders_to_what_an_installation_does(environment: str) -> None:
    given: dict[str, Any] = values(environment, "pellicule")

    assert chart("pellicule").objects(given, upgrade=True) == chart("pellicule").objects(given)
