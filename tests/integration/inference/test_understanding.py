"""What the models say of pictures that anybody can look at: those of the sample packages, and drawn ones."""

import re
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import skimage
import sklearn.datasets
from PIL import Image

from deploy.samples.papers import receipt
from inference.model_build.build import build_all, built_model, default_home
from inference.model_build.sessions import ModelSession
from inference.reference import Reference, measure
from inference.training import papers, photographing
from inference.training.screens import screenshot
from inference.training.typefaces import Typefaces
from inference.vision.kinds import Kind
from inference.vision.pictures import Picture
from inference.vision.search import rank
from inference.vision.sensitive import Rating
from inference.vision.words import word_pieces

_SKIMAGE = Path(skimage.__file__).parent / "data"
_SKLEARN = Path(sklearn.datasets.__file__).parent / "images"
_MATPLOTLIB = Path(mpl.get_data_path()) / "sample_data"
_SEED = 4711  # never used for fitting

_PNG = ["astronaut", "brick", "camera", "chelsea", "clock_motion", "coffee", "coins", "color", "grass", "gravel"]
_PHOTOS = [
    *(_SKIMAGE / f"{name}.png" for name in [*_PNG, "horse", "moon", "motorcycle_left", "motorcycle_right"]),
    *(_SKIMAGE / f"{name}.jpg" for name in ["hubble_deep_field", "retina", "rocket"]),
    *(_SKLEARN / f"{name}.jpg" for name in ["china", "flower"]),
    _MATPLOTLIB / "grace_hopper.jpg",
]
_FACES = {"astronaut": 1, "grace_hopper": 1, "camera": 1}


@pytest.fixture(scope="module")
def home() -> Path:
    build_all(default_home())
    return default_home()


@pytest.fixture(scope="module")
def reference(home: Path) -> Reference:
    return Reference(home, embeds_faces=True)


@pytest.fixture(scope="module")
def faces() -> Typefaces:
    return Typefaces.found_in()


def _open(path: Path) -> Picture:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize("path", _PHOTOS, ids=lambda path: path.stem)
def test_a_photo_is_taken_for_a_photo_and_its_faces_are_found(reference: Reference, path: Path) -> None:
    findings = reference.understand(_open(path))

    assert findings.kind.kind == Kind.PHOTO
    assert len(findings.faces) == _FACES.get(path.stem, 0)


def test_the_box_lies_tightly_around_the_face(reference: Reference) -> None:
    findings = reference.understand(_open(_SKIMAGE / "astronaut.png"))

    (face,) = findings.faces
    left, top, width, height = (round(512 * part) for part in face.box)
    assert (left, top, left + width, top + height) == pytest.approx((181, 58, 270, 178), abs=6)
    assert findings.descriptors[0].shape == (128,)


def test_a_person_is_nearer_to_themselves_than_to_another(reference: Reference) -> None:
    astronaut = _open(_SKIMAGE / "astronaut.png")
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    hopper = _open(_MATPLOTLIB / "grace_hopper.jpg")

    first, again, other = (reference.understand(each).descriptors[0] for each in (astronaut, mirrored, hopper))

    assert np.linalg.norm(first - again) < 0.5
    assert np.linalg.norm(first - other) > 0.6


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        (_SKIMAGE / "chelsea.png", "cat"),
        (_SKIMAGE / "coffee.png", "drink"),
        (_SKIMAGE / "motorcycle_left.png", "vehicle"),
        (_SKLEARN / "china.jpg", "building"),
        (_SKLEARN / "flower.jpg", "flower"),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_a_picture_gets_its_tag(reference: Reference, path: Path, tag: str) -> None:
    assert tag in {found.name for found in reference.understand(_open(path)).tags}


def test_a_real_page_is_a_document_and_is_read(reference: Reference) -> None:
    findings = reference.understand(_open(_SKIMAGE / "page.png"))

    assert findings.kind.kind == Kind.DOCUMENT
    assert findings.text.area > 0.2
    read = " ".join(line.text for line in findings.text.lines)
    assert {"segmentation", "markers", "histogram"} <= set(re.findall(r"[a-z]+", read.lower()))


def test_a_receipt_is_read_line_by_line(reference: Reference) -> None:
    till = receipt("receipt_restaurant", np.random.default_rng(_SEED))

    findings = reference.understand(np.asarray(till))

    lines = [re.sub(r"\W", "", line.text.upper()) for line in findings.text.lines]
    assert findings.kind.kind == Kind.RECEIPT
    assert lines[0] == "AUBERGEDESREMPARTS"
    assert {"CUISINEDUPAYS", "1SALADEDENOIX", "1150", "1TARTEAUXPRUNES"} <= set(lines)


@pytest.mark.parametrize("path", _PHOTOS[:6], ids=lambda path: path.stem)
def test_a_photo_is_neither_read_nor_rated_sensitive(reference: Reference, path: Path) -> None:
    findings = reference.understand(_open(path))

    assert findings.text.lines == ()
    assert findings.rating is Rating.CLEAR


def test_photos_are_found_by_words(reference: Reference, home: Path) -> None:
    names = ["chelsea", "coffee", "motorcycle_left", "astronaut", "rocket"]
    photos = [path for path in _PHOTOS if path.stem in names]
    meanings = [reference.understand(_open(path)).meaning for path in photos]
    encoder = ModelSession(built_model(home, "text_encoder").path)

    def first(query: str) -> str:
        pieces = word_pieces([query])
        vector = encoder.run({"ids": pieces.ids, "mask": pieces.mask})["embedding"][0]
        return photos[rank(vector, [meaning for meaning in meanings if meaning is not None])[0][0]].stem

    assert first("my cat") == "chelsea"
    assert first("a cup of coffee") == "coffee"
    assert first("a motorbike") == "motorcycle_left"
    assert first("portrait of a woman") == "astronaut"


@pytest.mark.parametrize(("kind", "make"), [(Kind.DOCUMENT, papers.document), (Kind.RECEIPT, papers.receipt)])
@pytest.mark.parametrize("lies_on_something", [False, True])
def test_sheets_of_paper_are_recognised(
    reference: Reference,
    faces: Typefaces,
    kind: Kind,
    make: Callable[[np.random.Generator, Typefaces], Image.Image],
    lies_on_something: bool,
) -> None:
    rng = np.random.default_rng(_SEED)
    found = []
    for _ in range(20):
        picture = np.asarray(make(rng, faces))
        if lies_on_something:
            picture = photographing.photographed(rng, picture, photographing.plain_ground(rng))
        found.append(reference.kind(picture).kind)

    assert found.count(kind) >= 18
    assert Kind.PHOTO not in found


def test_screens_are_recognised(reference: Reference, faces: Typefaces) -> None:
    rng = np.random.default_rng(_SEED)
    shown = [_open(_SKIMAGE / "coffee.png"), _open(_SKLEARN / "china.jpg")]

    found = [reference.kind(screenshot(rng, faces, shown)).kind for _ in range(30)]

    assert found.count(Kind.SCREENSHOT) >= 27


def test_the_limit_counts_every_picture_once(home: Path) -> None:
    pictures = [_open(_SKIMAGE / "coffee.png"), _open(_SKIMAGE / "astronaut.png"), _open(_SKLEARN / "china.jpg")]

    measured = measure(home, pictures, workers=2, embeds_faces=True)

    assert measured.pictures == 3
    assert measured.per_second > 0
