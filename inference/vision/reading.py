"""Text reader's answers become characters."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

KEEP_SCORE: Final = 0.5
_TABLE: Final = Path(__file__).with_name("characters.txt")
_NOTHING: Final = 0


@dataclass(frozen=True)
class Words:
    """What stands in a line, and how sure the reader is of it, 0..1."""

    text: str
    score: float


@cache
def characters() -> tuple[str, ...]:
    """Return the characters by token: none first, those of the table, and the space last."""
    return ("", *_TABLE.read_text("utf-8").removesuffix("\n").split("\n"), " ")


def words_of(tokens: NDArray[np.int32] | NDArray[np.int64], scores: NDArray[np.float32]) -> Words:
    """Decode the answer for one line greedily (CTC; Graves et al. 2006): repeats are one, gaps part them.

    Args:
        tokens: [steps].
        scores: [steps].
    """
    new = np.diff(tokens, prepend=_NOTHING) != 0
    kept = new & (tokens != _NOTHING)
    table = characters()
    text = "".join(table[token] for token in tokens[kept])
    return Words(text.strip(), float(scores[kept].mean()) if kept.any() else 0.0)


def joined(pieces: list[Words]) -> Words:
    """Put the pieces of one line together; the line is as sure as they are, by their lengths."""
    whole = [piece for piece in pieces if piece.text]
    letters = sum(len(piece.text) for piece in whole)
    score = sum(piece.score * len(piece.text) for piece in whole) / max(letters, 1)
    return Words(" ".join(piece.text for piece in whole), score)
