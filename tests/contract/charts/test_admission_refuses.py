"""Every rule refuses something: an object that is broken for it, in a release that is otherwise let in."""

import pytest

from tests.contract.charts.breaking import BROKEN, GATE_AT_ZERO, IN_PRODUCTION, REFUSED_BY_KNATIVE
from tests.contract.charts.releases import rendered
from tests.contract.charts.rules import IN_PRODUCTION as PRODUCTION_RULES
from tests.contract.charts.rules import RULES

OF_KNATIVE = {"taken_by_knative", "gates_stay"}


def test_every_rule_has_something_that_it_refuses() -> None:
    assert BROKEN.keys() | OF_KNATIVE == RULES.keys()
    assert IN_PRODUCTION.keys() == PRODUCTION_RULES.keys()


@pytest.mark.parametrize("rule", BROKEN)
def test_what_is_broken_is_refused(rule: str) -> None:
    assert list(RULES[rule](BROKEN[rule](rendered("pellicule", "development")))) != []


@pytest.mark.parametrize("rule", IN_PRODUCTION)
def test_what_is_broken_is_refused_in_production(rule: str) -> None:
    assert list(PRODUCTION_RULES[rule](IN_PRODUCTION[rule](rendered("pellicule", "production")))) != []


@pytest.mark.parametrize("what", REFUSED_BY_KNATIVE)
def test_what_knative_refuses_is_refused_before(what: str) -> None:
    assert list(RULES["taken_by_knative"](REFUSED_BY_KNATIVE[what](rendered("pellicule", "knative")))) != []


def test_what_everything_asks_does_not_go_to_zero() -> None:
    assert list(RULES["gates_stay"](GATE_AT_ZERO(rendered("pellicule", "knative")))) != []
