"""Model of a move between two cells, small enough that every order of its steps can be tried.

One person, at home in A, on the way to B, and one withdrawal, which comes to A or to B at any moment. Either cell may
be restored from a backup. docs/cells.md tells the protocol.
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum, auto


class Rule(StrEnum):
    """What the protocol stands on; a model without one of them shows what it is for."""

    JOURNAL_BEFORE_PARCEL = auto()
    ANSWER_AFTER_RECORD = auto()
    FENCE_BEFORE_PARCEL = auto()
    THAW_IN_DIRECTORY = auto()


RULES: Set[Rule] = frozenset(Rule)


@dataclass(frozen=True)
class Move:
    """How far everything is.

    Attributes:
        source: State of the person in A.
        target: State in B; empty when B has never heard of the person.
        home: What the directory says.
        moving: Whether the directory has a move under way.
        switching: Whether the order to switch is on its way to the directory.
        source_opens: Whether A has keys that open.
        target_opens: Whether B has.
        parcel: Whether A has a parcel with keys for B.
        moved_in_journal: Whether A's journal has the destruction of the move.
        withdrawn_in_journal: Whether it has a withdrawal.
        fenced: Whether B drops what comes in the parcel.
        asked: Whether B has a withdrawal to answer.
        answered: Whether the withdrawal was answered: from then on nothing may open.
    """

    source: str = "HOME"
    target: str = ""
    home: str = "A"
    moving: bool = False
    switching: bool = False
    source_opens: bool = True
    target_opens: bool = False
    parcel: bool = False
    moved_in_journal: bool = False
    withdrawn_in_journal: bool = False
    fenced: bool = False
    asked: bool = False
    answered: bool = False


Step = Callable[[Move, Set[Rule]], Move | None]


def reachable(rules: Set[Rule] = RULES) -> Mapping[Move, str]:
    """Return every state that some order of steps leads to, with the step that led there first."""
    found, ahead = {Move(): "begin"}, [Move()]
    while ahead:
        move = ahead.pop()
        for name, after in _following(move, rules):
            if after not in found:
                found[after] = name
                ahead.append(after)
    return found


def wrong(move: Move) -> str:
    """Return what is wrong with a state; empty when nothing is."""
    if move.source_opens and move.target_opens:
        return "both cells open"
    if move.answered and (move.source_opens or move.target_opens):
        return "something opens after a withdrawal was answered"
    return "A writes on, and the directory says B" if (move.source, move.home) == ("HOME", "B") else ""


def _following(move: Move, rules: Set[Rule]) -> Iterator[tuple[str, Move]]:
    for step in _STEPS:
        after = step(move, rules)
        if after is not None and after != move:
            yield step.__name__, after


def _begin(move: Move, _: Set[Rule]) -> Move | None:
    can = move.source == "HOME" and move.home == "A" and not move.target
    return replace(move, source="COPYING", target="ARRIVING", moving=True) if can else None


def _freeze(move: Move, _: Set[Rule]) -> Move | None:
    return replace(move, source="FROZEN") if move.source == "COPYING" else None


def _send_switch(move: Move, _: Set[Rule]) -> Move | None:
    return replace(move, switching=True) if move.source == "FROZEN" and move.home == "A" else None


def _switch(move: Move, _: Set[Rule]) -> Move | None:
    """Land in the directory, however late: compare and set."""
    if not move.switching:
        return None
    return replace(move, switching=False, home="B" if move.moving else move.home, moving=False)


def _give_up(move: Move, rules: Set[Rule]) -> Move | None:
    if move.source not in ("COPYING", "FROZEN") or move.home != "A":
        return None
    moving = move.moving and Rule.THAW_IN_DIRECTORY not in rules
    return replace(move, source="HOME", moving=moving)


def _go(move: Move, _: Set[Rule]) -> Move | None:
    """Destroy A's keys, and make the parcel of those that lived, in one transaction."""
    if move.source != "FROZEN" or move.home != "B":
        return None
    return replace(move, source="MOVED", parcel=move.source_opens, source_opens=False)


def _write(move: Move, _: Set[Rule]) -> Move | None:
    return replace(move, moved_in_journal=True) if move.source == "MOVED" else None


def _arrive(move: Move, rules: Set[Rule]) -> Move | None:
    handed = move.moved_in_journal or Rule.JOURNAL_BEFORE_PARCEL not in rules
    if move.source != "MOVED" or move.target != "ARRIVING" or not handed:
        return None
    dropped = move.fenced and Rule.FENCE_BEFORE_PARCEL in rules
    return replace(move, target="HOME", target_opens=move.parcel and not dropped)


def _withdraw_in_source(move: Move, _: Set[Rule]) -> Move | None:
    if move.source == "MOVED":
        return None
    return replace(move, source_opens=False, withdrawn_in_journal=True, answered=True)


def _withdraw_in_target(move: Move, _: Set[Rule]) -> Move | None:
    if move.home != "B" or not move.target:
        return None
    return replace(move, fenced=True, asked=True, target_opens=False)


def _answer(move: Move, rules: Set[Rule]) -> Move | None:
    shown = move.moved_in_journal or Rule.ANSWER_AFTER_RECORD not in rules
    return replace(move, asked=False, answered=True) if move.asked and shown else None


def _restore_source(move: Move, _: Set[Rule]) -> Move | None:
    """Come back with the keys of before, and replay the journal; then ask the directory."""
    if move.moved_in_journal:
        return replace(move, source="MOVED", source_opens=False, parcel=False)
    source = "FROZEN" if move.home == "B" or move.moving else "HOME"
    return replace(move, source=source, source_opens=not move.withdrawn_in_journal, parcel=False)


def _restore_target(move: Move, _: Set[Rule]) -> Move | None:
    return replace(move, target_opens=False) if move.target == "HOME" else None


_STEPS: tuple[Step, ...] = (
    _begin, _freeze, _send_switch, _switch, _give_up, _go, _write, _arrive, _withdraw_in_source, _withdraw_in_target,
    _answer, _restore_source, _restore_target,
)  # fmt: skip
