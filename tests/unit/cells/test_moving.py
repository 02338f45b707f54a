"""A move between cells, in every order of its steps, with a withdrawal and restores at any moment."""

import pytest

from deploy.cells.moving import RULES, Move, Rule, reachable, wrong


def test_no_order_of_steps_misses_a_copy() -> None:
    assert {wrong(move) for move in reachable()} == {""}


def test_a_move_comes_to_its_end_with_everything_in_the_target() -> None:
    ends = [move for move in reachable() if move.target == "HOME" and move.target_opens]

    assert ends
    assert all(move.moved_in_journal and move.home == "B" for move in ends)


def test_a_withdrawal_is_answered_in_either_cell() -> None:
    answered = [move for move in reachable() if move.answered]

    assert {(move.source, move.target) for move in answered} >= {("COPYING", "ARRIVING"), ("MOVED", "HOME")}


@pytest.mark.parametrize("rule", Rule)
def test_without_any_of_its_rules_something_is_missed(rule: Rule) -> None:
    assert {wrong(move) for move in reachable(RULES - {rule})} > {""}


def test_what_is_wrong_is_said() -> None:
    assert wrong(Move(target_opens=True)) == "both cells open"
    assert wrong(Move(answered=True)) == "something opens after a withdrawal was answered"
