"""Containerfiles as far as the build and its tests read them: stages, instructions, arguments."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BASE: Final = "BASE"
_CONTINUED = re.compile(r"\\\n(?:\s*#.*\n)*")
_STAGE = re.compile(r"(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Instruction:
    """A line of a Containerfile, such as `USER 65532:65532`."""

    word: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """What begins with a `FROM`.

    Attributes:
        base: The image or the stage that it begins from.
        name: What others call it; empty when it has no name.
        instructions: What follows, without the `FROM`.
    """

    base: str
    name: str
    instructions: Sequence[Instruction]

    def all_of(self, word: str) -> Sequence[str]:
        """Return what follows each instruction of a word."""
        return [each.rest for each in self.instructions if each.word == word]


def instructions(text: str) -> Sequence[Instruction]:
    """Return the instructions, with lines that go on joined and comments left out."""
    lines = (line.strip() for line in _CONTINUED.sub(" ", text).splitlines())
    split = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [Instruction(word.upper(), " ".join(rest.split())) for word, _, rest in split]


def stages(text: str) -> Sequence[Stage]:
    """Return the stages in their order."""
    every = instructions(text)
    begins = [index for index, each in enumerate(every) if each.word == "FROM"]
    return [
        _stage(every[first], every[first + 1 : end])
        for first, end in zip(begins, [*begins[1:], len(every)], strict=True)
    ]


def default_base(text: str) -> str:
    """Return the base image that is used when none is named; empty when one has to be."""
    given = (each.rest.partition("=") for each in instructions(text) if each.word == "ARG")
    return next((value for name, _, value in given if name == BASE), "")


def _stage(begin: Instruction, own: Sequence[Instruction]) -> Stage:
    found = _STAGE.match(begin.rest)
    return Stage(found[1] if found else "", (found and found[2]) or "", own)
