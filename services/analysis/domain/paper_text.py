"""Papers' text: whether what was read on two papers is the same. Pure.

Papers of one kind look alike, so that only what stands on them tells them apart: another sum, another day, another
name. Figures must be the same to the last digit. Of words the reader may have mistaken one letter of a long one, or
lost a blank, which is what it does with two pictures of one paper; a short word that differs is another word.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(r"[^\W_]+(?:[.,:/'’-][^\W_]+)*")
_LONG_WORD: Final = 6


@dataclass(frozen=True)
class PaperText:
    """What is compared of a paper's text.

    Attributes:
        figures: The digits of everything that has some, in the order of reading.
        words: Everything else, in lower case without accents, likewise.
    """

    figures: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read."""
        return not self.figures and not self.words


def paper_text(lines: Sequence[str]) -> PaperText:
    """Return what is compared of lines of text."""
    figures, words = list[str](), list[str]()
    for token in (match[0] for line in lines for match in _TOKEN.finditer(_plain(line))):
        digits = "".join(letter for letter in token if letter.isdigit())
        if digits:
            figures.append(digits)
        words.append("".join(letter for letter in token if letter.isalpha()))
    return PaperText(tuple(figures), tuple(word for word in words if word))


def say_the_same(one: PaperText, other: PaperText) -> bool:
    """Tell whether two papers say the same; of two on which nothing was read it is not known, so they do not."""
    if one.is_empty or other.is_empty:
        return False
    if "".join(_without(one.figures, other.figures)) != "".join(_without(other.figures, one.figures)):
        return False
    mine, theirs = _without(one.words, other.words), _without(other.words, one.words)
    return "".join(mine) == "".join(theirs) or _are_misread(mine, theirs)


def _are_misread(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    return len(mine) == len(theirs) and all(map(_is_misread, mine, theirs))


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


def _without(words: Sequence[str], others: Sequence[str]) -> list[str]:
    """Return the words or figures that have no equal among the others, in their order."""
    unmatched, left = Counter(others), list[str]()
    for word in words:
        if unmatched[word]:
            unmatched[word] -= 1
        else:
            left.append(word)
    return left


def _is_misread(one: str, other: str) -> bool:
    """Tell whether two words are one long word, of which a letter was lost or mistaken."""
    short, long = sorted((one, other), key=len)
    if len(short) < _LONG_WORD or len(long) - len(short) > 1:
        return False
    same = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[same + (len(short) == len(long)) :] == long[same + 1 :]
