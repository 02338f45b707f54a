"""Sentences become the word pieces that the text encoder reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from kitoken import Kitoken
from numpy.typing import NDArray

LENGTH: Final = 32
_BEGIN: Final = 101
_END: Final = 102
_PIECES: Final = Path(__file__).with_name("wordpieces.json")
_LONGEST: Final = 512  # characters of a sentence that are looked at


@dataclass(frozen=True)
class Pieces:
    """Word pieces of sentences.

    Attributes:
        ids: INT64 [sentences, 32].
        mask: INT64 [sentences, 32]: 1 where a piece is, 0 after the end.
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


def word_pieces(sentences: Sequence[str]) -> Pieces:
    """Cuts sentences into pieces of BERT's lower-case vocabulary; what does not fit is cut off.

    Args:
        sentences: as people write them; names of special pieces in them are words like any other.
    """
    ids = np.zeros((len(sentences), LENGTH), np.int64)
    for row, sentence in zip(ids, sentences, strict=True):
        pieces = [_BEGIN, *_tokenizer().encode(sentence[:_LONGEST], False)[: LENGTH - 2], _END]
        row[: len(pieces)] = pieces
    return Pieces(ids, (ids != 0).astype(np.int64))


@cache
def _tokenizer() -> Kitoken:
    """Return the tokenizer that comes with all-MiniLM-L6-v2, without its padding (Apache-2.0)."""
    return Kitoken.from_tokenizers_file(str(_PIECES))
