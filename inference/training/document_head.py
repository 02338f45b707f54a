"""Document head training: photo, document, receipt or screenshot, from the scene embedding.

    python -m inference.training.document_head PHOTOS [--fonts DIR] [--per-class N] [--write]

PHOTOS is a folder with the unpacked pictures of the packages that the model's card lists. Documents, receipts
and screens are drawn. The head is measured on pictures that it was not fitted with (five folds over the photos,
a second seed for what is drawn), then fitted on everything and written beside its manifest.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression

from inference.model_build.build import built_model, default_home
from inference.model_build.manifest import FOLDER
from inference.model_build.sessions import ModelSession
from inference.training import papers, photographing
from inference.training.photos import fold_of, photo_files, read_photo
from inference.training.screens import screenshot
from inference.training.typefaces import Typefaces
from inference.vision.kinds import KINDS, Kind
from inference.vision.pictures import Picture, scene_input

FOLDS: Final = 5
SEED: Final = 2
_STRENGTH: Final = 0.02  # inverse weight of the L2 penalty on standardised features
_PHOTO_WEIGHT: Final = 5.0  # a photo taken for a document is worse than a document taken for a photo

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, Sequence[Picture]], Picture]


@dataclass(frozen=True)
class Samples:
    """Embeddings [samples, 1280], their kinds as indices, and the fold each was drawn for."""

    features: Floats
    kinds: NDArray[np.int64]
    folds: NDArray[np.int64]


@dataclass(frozen=True)
class Head:
    """softmax(features @ weight + bias)."""

    weight: Floats
    bias: Floats

    def predict(self, features: Floats) -> NDArray[np.int64]:
        """Return the index of the likeliest kind of each row."""
        return np.asarray((features @ self.weight + self.bias).argmax(1), np.int64)


class Embedder:
    """The scene classifier, asked for embeddings alone."""

    def __init__(self) -> None:
        self._session = ModelSession(built_model(default_home(), "scene_classifier").path)

    def __call__(self, picture: Picture) -> Floats:
        """Return the embedding of one picture, [1280]."""
        return np.asarray(self._session.run({"image": scene_input(picture)[None]})["embedding"][0], np.float64)


def collect(embed: Embedder, files: Sequence[Path], faces: Typefaces, per_class: int, seed: int) -> Samples:
    """Draw and embed everything that the head is fitted with or measured on.

    Photos come as they are and cropped, and beside them surfaces without writing and small parts of photos: all are
    photos, however white and plain. What is drawn for a fold uses only the photos of that fold behind or within it.
    """
    grounds = _grounds(files, seed)
    draws: list[tuple[Kind, int, Draw]] = [
        (Kind.PHOTO, per_class // 2, _plain),
        (Kind.DOCUMENT, per_class, lambda rng, photos: _laid(rng, papers.document(rng, faces), photos)),
        (Kind.RECEIPT, per_class, lambda rng, photos: _laid(rng, papers.receipt(rng, faces), photos)),
        (Kind.SCREENSHOT, per_class, lambda rng, photos: screenshot(rng, faces, photos)),
    ]
    rng = np.random.default_rng(seed)
    rows = [
        (KINDS.index(kind), fold, embed(photographing.developed(rng, picture)))
        for kind, fold, picture in chain(
            _photos(files, max(2, per_class // len(files)), np.random.default_rng(seed)),
            *(_drawn(kind, count, draw, grounds, np.random.default_rng(seed)) for kind, count, draw in draws),
        )
    ]
    kinds, folds, features = zip(*rows, strict=True)
    return Samples(np.stack(features), np.asarray(kinds), np.asarray(folds))


def _photos(files: Sequence[Path], per_photo: int, rng: np.random.Generator) -> Iterator[tuple[Kind, int, Picture]]:
    for path in files:
        picture = read_photo(path, photographing.plain_ground(rng))
        for view in range(per_photo):
            yield Kind.PHOTO, fold_of(path, FOLDS), photographing.camera_crop(rng, picture) if view else picture


def _drawn(
    kind: Kind, count: int, draw: Draw, grounds: Sequence[Sequence[Picture]], rng: np.random.Generator
) -> Iterator[tuple[Kind, int, Picture]]:
    for number in range(count):
        yield kind, number % FOLDS, draw(rng, grounds[number % FOLDS])


def _plain(rng: np.random.Generator, photos: Sequence[Picture]) -> Picture:
    if rng.random() < 0.5:
        return photographing.surface(rng)
    return photographing.cropped(rng, photos[rng.integers(len(photos))], (0.08, 0.4), (0.08, 0.4))


def _grounds(files: Sequence[Path], seed: int) -> list[list[Picture]]:
    """Return some photos of each fold, for drawn things to lie on or to show."""
    rng = np.random.default_rng(seed)
    grounds: list[list[Picture]] = [[] for _ in range(FOLDS)]
    for path in files[:: max(1, len(files) // 250)]:
        grounds[fold_of(path, FOLDS)].append(read_photo(path, photographing.plain_ground(rng)))
    return grounds


def _laid(rng: np.random.Generator, drawn: Image.Image, photos: Sequence[Picture]) -> Picture:
    """Return a sheet as people take it in: scanned, close up, or lying on something."""
    sheet, way = np.asarray(drawn), rng.random()
    if way < 0.3:
        return photographing.scanned(rng, sheet)
    if way < 0.42:
        return photographing.close_up(rng, sheet)
    behind = photos[rng.integers(len(photos))] if rng.random() < 0.4 else photographing.plain_ground(rng)
    return photographing.photographed(rng, sheet, behind)


def fit(samples: Samples, chosen: NDArray[np.bool_]) -> Head:
    """Fits the head on the chosen rows; standardising is folded into the weights."""
    features, kinds = samples.features[chosen], samples.kinds[chosen]
    middle, spread = features.mean(0), features.std(0) + 1e-3
    model = LogisticRegression(C=_STRENGTH, max_iter=600, class_weight={0: _PHOTO_WEIGHT, 1: 1, 2: 1, 3: 1})
    model.fit((features - middle) / spread, kinds)
    weight = (model.coef_ / spread).T
    return Head(weight, model.intercept_ - middle @ weight)


def cross_validate(samples: Samples) -> NDArray[np.int64]:
    """Predicts every row with a head that has not seen its fold; returns counts [kind, predicted kind]."""
    counts = np.zeros((len(KINDS), len(KINDS)), np.int64)
    for fold in range(FOLDS):
        held_out = samples.folds == fold
        predicted = fit(samples, ~held_out).predict(samples.features[held_out])
        np.add.at(counts, (samples.kinds[held_out], predicted), 1)
    return counts


def write(head: Head) -> Path:
    """Keep the weights beside the head's manifest, in single precision."""
    path = FOLDER / "document_head" / "weights.npz"
    np.savez(path, weight=head.weight.astype(np.float32), bias=head.bias.astype(np.float32))
    return path


def main() -> None:
    """Collect, measures, fits, and write when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--fonts", type=Path, action="append", default=[])
    parser.add_argument("--per-class", type=int, default=900)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    files = tuple(photo_files(chosen.photos))
    samples = collect(Embedder(), files, Typefaces.found_in(*chosen.fonts), chosen.per_class, SEED)
    sys.stdout.write(f"{len(files)} photos, {len(samples.kinds)} samples\n{KINDS}\n{cross_validate(samples)}\n")
    if chosen.write:
        sys.stdout.write(f"{write(fit(samples, np.ones(len(samples.kinds), bool)))}\n")


if __name__ == "__main__":
    main()
