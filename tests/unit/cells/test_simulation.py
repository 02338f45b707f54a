"""Parts of the simulation of cells, with few persons."""

from dataclasses import fields, replace

import numpy as np
import pytest
import yaml

from deploy.cells.assumptions import Assumptions, Configured, Persons
from deploy.cells.costs import costs
from deploy.cells.homing import draw_tags, propose, propose_also
from deploy.cells.limits import limits, load_of_mean
from deploy.cells.loads import load_of
from deploy.cells.rolls import distribution, draw_rolls
from deploy.cells.simulation import Plan, simulate
from deploy.charts import CHARTS, ENVIRONMENTS
from services.chassis.settings import DatabaseSettings

ROOT = CHARTS.parent
ASSUMPTIONS = Assumptions()
TAGS = draw_tags(40_000, np.random.default_rng(7))


def test_rolls_have_the_mean_that_was_assumed_and_few_persons_have_many_photos() -> None:
    found = distribution(draw_rolls(400_000, Persons(photos_a_day=2), np.random.default_rng(7)))

    assert found["mean"] == pytest.approx(60, rel=0.03)
    assert found["p50"] < found["mean"] < found["p90"]
    assert found["share_of_largest_hundredth"] > 0.05


def test_no_roll_is_larger_than_the_most() -> None:
    assert draw_rolls(10_000, Persons(most_photos=300), np.random.default_rng(7)).max() == 300


def test_cells_of_one_weight_get_equal_shares() -> None:
    shares = np.bincount(propose(TAGS, [1.0] * 8).cells) / len(TAGS)

    assert shares == pytest.approx(1 / 8, rel=0.1)


def test_a_cell_of_twice_the_weight_gets_twice_as_many() -> None:
    shares = np.bincount(propose(TAGS, [1.0, 2.0, 1.0]).cells) / len(TAGS)

    assert shares == pytest.approx([0.25, 0.5, 0.25], rel=0.05)


def test_a_cell_that_is_added_moves_none_between_the_others_and_each_gives_its_share() -> None:
    before = propose(TAGS, [1.0] * 4)
    after = propose_also(before, TAGS, [1.0], first=4)
    moved = after.cells != before.cells

    assert set(after.cells[moved]) == {4}
    assert np.bincount(before.cells[moved]) / len(TAGS) == pytest.approx(1 / 20, rel=0.15)
    assert np.array_equal(after.cells, propose(TAGS, [1.0] * 5).cells)


def test_twice_the_persons_and_photos_are_twice_the_load() -> None:
    once, twice = load_of(1000, 180_000, ASSUMPTIONS), load_of(2000, 360_000, ASSUMPTIONS)

    for field in fields(once):
        assert getattr(twice, field.name) == pytest.approx(2 * getattr(once, field.name)), field.name


def test_a_limit_names_the_persons_who_reach_it() -> None:
    for limit in limits(load_of_mean(50_000, ASSUMPTIONS), ASSUMPTIONS):
        if limit.persons:
            at_it = limits(load_of_mean(limit.persons, ASSUMPTIONS), ASSUMPTIONS)
            assert {each.name: each.used for each in at_it}[limit.name] == pytest.approx(1, rel=0.01)


def test_a_slower_part_breaks_earlier() -> None:
    slow = replace(ASSUMPTIONS, measured=replace(ASSUMPTIONS.measured, key_opens=1.0))
    first = next(limit for limit in limits(load_of_mean(50_000, slow), slow) if limit.persons)

    assert first.name.startswith("keys opened")


def test_a_larger_cell_costs_less_for_each_person() -> None:
    small, large = (costs(load_of_mean(count, ASSUMPTIONS), ASSUMPTIONS)["person"] for count in (1_000, 100_000))

    assert small > large


def test_the_same_seed_says_the_same_and_everybody_has_a_cell() -> None:
    plan = Plan(persons=20_000, cell=2_000, added=2, seed=3)
    findings = simulate(plan, ASSUMPTIONS)

    assert findings == simulate(plan, ASSUMPTIONS)
    assert findings.all.persons == plan.persons
    assert findings.rebalancing.between_old_cells == 0
    assert findings.rebalancing.share == pytest.approx(2 / 12, rel=0.1)


def test_what_is_configured_is_what_the_values_say() -> None:
    pellicule, inference = (yaml.safe_load((ENVIRONMENTS / "production.yaml").read_text("utf-8"))[part]
                            for part in ("pellicule", "inference"))  # fmt: skip
    defaults = yaml.safe_load((CHARTS / "pellicule" / "values.yaml").read_text("utf-8"))
    postgres = (ROOT / "deploy" / "platform" / "cloudnative-pg" / "cluster.yaml").read_text("utf-8")
    cluster = next(each for each in yaml.safe_load_all(postgres) if each["kind"] == "Cluster")

    assert Configured() == Configured(
        servers=pellicule["server"]["autoscaling"]["maxReplicas"],
        upkeep=defaults["upkeep"]["replicas"],
        workers=defaults["worker"]["keda"]["maxReplicas"],
        pool=DatabaseSettings.model_fields["database_pool_size"].default,
        connections=int(cluster["spec"]["postgresql"]["parameters"]["max_connections"]),
        inference_servers=inference["autoscaling"]["maxReplicas"],
        inference_cores=inference["server"]["cores"],
    )
