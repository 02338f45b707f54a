"""Search ranking: how well a picture fits words, by what it shows and by what is written in it. Pure rules."""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np

from services.analysis.domain.findings import Analysis, Embedding, Kind, Meaning, SceneFindings

MIN_COSINE: Final = 0.3
"""Below this, what a picture shows has nothing to do with the words: on the sample roll, words that no picture fits
come to 0.22 at most, and those that one fits to between 0.31 and 0.67."""
MIN_SHARE: Final = 0.5
"""Below this share of the words, what is written in a picture is there by chance."""
_PART_OF_WORD: Final = 4
"""Words of so many letters are found inside of others as well: what is read often lacks its spaces."""
_WORD: Final = re.compile(r"\w+")
_SAY_NOTHING: Final = frozenset(
    {"a", "an", "and", "at", "by", "for", "from", "in", "is", "it", "me", "my", "of", "on", "or", "our", "photo"}
    | {"photos", "picture", "pictures", "the", "to", "with"}
    | {"au", "aux", "avec", "dans", "de", "des", "du", "en", "et", "la", "le", "les", "ma", "mes", "mon", "par"}
    | {"pour", "sur", "un", "une"}
)
"""English and French words that are in every sentence."""


@dataclass(frozen=True)
class Match:
    """A picture that fits.

    Attributes:
        media: Its id.
        score: How well, 0..1.
        lines: The lines in it that hold words of the query.
        time: When it was taken, in seconds since 1970; minus infinity if not known.
    """

    media: UUID
    score: float
    lines: tuple[str, ...] = ()
    time: float = -math.inf

    @property
    def place(self) -> tuple[float, float, str]:
        """Return its place among the matches: the best first; of equal ones, the newer."""
        return -self.score, -self.time, self.media.hex


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        words: Its words that say something, in their plain form.
        meaning: What it says as a whole.
    """

    words: tuple[str, ...]
    meaning: Meaning


def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of a text that say something: once each, without case and accents."""
    found = _plain(text)
    telling = [word for word in found if word not in _SAY_NOTHING]
    return tuple(dict.fromkeys(telling or found))


def best_matches(query: Query, everything: Iterable[Analysis]) -> list[Match]:
    """Return the pictures that fit, best first; of equal ones, the newer."""
    scenes = [(each.media, each.scene) for each in everything if each.scene is not None]
    cosines = _cosines(query.meaning, [each for _, each in scenes])
    found = (_match(query.words, media, each, cosine) for (media, each), cosine in zip(scenes, cosines, strict=True))
    return sorted((match for match in found if match.score > 0), key=lambda match: match.place)


def _match(words: Sequence[str], media: UUID, scene: SceneFindings, cosine: float) -> Match:
    shown = cosine if cosine >= MIN_COSINE else 0.0
    share, lines = _written(words, scene)
    score = max(shown, share, _named(words, scene))
    return Match(media, min(score, 1.0), lines, _seconds(scene))


def _written(words: Sequence[str], scene: SceneFindings) -> tuple[float, tuple[str, ...]]:
    """Return the share of the words that the lines hold, weighed by how surely they were read, and these lines.

    A word that names the kind counts as held: who looks for a receipt says so, and the receipt does not.
    """
    held = {word: scene.kind_score for word in words if _singular(word) == scene.kind.value}
    lines: list[str] = []
    for line in scene.writing.lines:
        plain = _plain(line.text)
        inside = [word for word in words if _is_in(word, plain)]
        held |= {word: max(line.score, held.get(word, 0.0)) for word in inside}
        if inside:
            lines.append(line.text)
    share = sum(held.values()) / max(len(words), 1)
    return (share, tuple(lines)) if lines and len(held) >= MIN_SHARE * len(words) else (0.0, ())


def _named(words: Sequence[str], scene: SceneFindings) -> float:
    """Return how sure the kind or a tag of a picture is that is what the words say, in the singular or plural.

    Who names a kind means the kind, and no tag of the same name.
    """
    asked = {_singular(word) for word in words}
    if any(asked == {kind.value} for kind in Kind):
        return scene.kind_score if asked == {scene.kind.value} else 0.0
    return max(
        (tag.score for tag in scene.tags if asked == {_singular(word) for word in _plain(tag.name)}), default=0.0
    )


def _is_in(word: str, line: Sequence[str]) -> bool:
    return word in line or (len(word) >= _PART_OF_WORD and any(word in other for other in line))


def _singular(word: str) -> str:
    return word[:-1] if len(word) >= _PART_OF_WORD and word.endswith("s") else word


def _plain(text: str) -> list[str]:
    """Return all words of a text without case and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(letter for letter in letters if not unicodedata.combining(letter)))


def _cosines(query: Meaning, scenes: Sequence[SceneFindings]) -> list[float]:
    """Return how near each picture is to the query; 0 for those of another space."""
    cosines = [0.0] * len(scenes)
    near = [
        index for index, each in enumerate(scenes) if each.meaning is not None and each.meaning.space == query.space
    ]
    if near:
        vectors = np.stack([_unit(each.vector) for index in near if (each := scenes[index].meaning) is not None])
        for index, cosine in zip(near, (vectors @ _unit(query.vector)).tolist(), strict=True):
            cosines[index] = cosine
    return cosines


def _unit(vector: Embedding) -> Embedding:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def _seconds(scene: SceneFindings) -> float:
    time = scene.metadata.capture_time
    return -math.inf if time is None else time.timestamp()
