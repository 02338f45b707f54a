"""Differences between a server and what is declared: found one by one, and put right one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """Something that is not as it is declared.

    Attributes:
        subject: What it is about, such as `role ingest`.
        wrong: How it differs, in words.
        repair: Puts it right; None where only an operator can.
        remedy: What the operator does then.
    """

    subject: str
    wrong: str
    repair: Callable[[], object] | None = None
    remedy: str = ""


def repair(differences: Iterator[Difference]) -> Iterator[Difference]:
    """Put right what can be, and yield all that differed.

    Each is put right before the next is looked for: what comes later stands on it.
    """
    for difference in differences:
        if difference.repair is not None:
            difference.repair()
        yield difference


def repair_all(differences: Iterator[Difference]) -> None:
    """Put right all that can be."""
    for _ in repair(differences):
        pass
