"""Lines of text in a picture: where they are, what of them is read, and what they say. Work for a thread."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from inference.vision.pictures import Letterbox, Picture
from inference.vision.reading import KEEP_SCORE, joined, words_of
from inference.vision.text import TextBox, line_pictures, text_area, text_boxes, worth_reading
from services.analysis.domain.findings import TextLine
from services.analysis.ports import Spelling, TextMap

MOST_PIECES: Final = 64
"""Pictures of lines that are read at most: a long line is read in pieces."""


@dataclass(frozen=True)
class Lines:
    """Lines of text in a picture, from top to bottom.

    Attributes:
        boxes: Where they are.
        area: The share of the picture that they cover, 0..1.
    """

    boxes: tuple[TextBox, ...] = ()
    area: float = 0.0


@dataclass(frozen=True)
class Piece:
    """A line, or a part of a long one, as the reader looks at it: the line's box, and UINT8 RGB [48, 320, 3]."""

    box: TextBox = field(repr=False)
    picture: Picture = field(repr=False)


def find_lines(text_map: TextMap, canvas: Letterbox) -> Lines:
    """Find lines in the text detector's answer."""
    boxes = text_boxes(text_map, canvas)
    return Lines(boxes, text_area(boxes))


def cut_out(picture: Picture, lines: Lines) -> list[Piece]:
    """Cuts lines out of a picture, as many as are read."""
    pieces = (Piece(box, part) for box in worth_reading(lines.boxes) for part in line_pictures(picture, box))
    return [piece for piece, _ in zip(pieces, range(MOST_PIECES), strict=False)]


def read_lines(pieces: Sequence[Piece], spellings: Sequence[Spelling]) -> tuple[TextLine, ...]:
    """Put together what the reader says; what it is hardly sure of is left out.

    Args:
        pieces: What it was shown.
        spellings: Its answer for each of them.
    """
    found: list[TextLine] = []
    start = 0
    while start < len(pieces):
        box = pieces[start].box
        end = next((n for n in range(start, len(pieces)) if pieces[n].box is not box), len(pieces))
        words = joined([words_of(each.tokens, each.scores) for each in spellings[start:end]])
        if words.text and words.score >= KEEP_SCORE:
            found.append(TextLine(words.text, words.score, box.bounds))
        start = end
    return tuple(found)
