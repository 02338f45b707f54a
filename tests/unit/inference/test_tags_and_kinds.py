"""Class scores become album tags, and the head's answer a kind."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.model_build.manifest import FOLDER
from inference.vision.kinds import KINDS, Kind, confirmed_kind, kind_of, wants_text
from inference.vision.tags import CLASSES, album_tags, tag_groups


def _certain(*classes: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    logits = np.zeros(CLASSES, np.float32)
    logits[list(classes)] = 20
    return logits


def _class(name: str) -> int:
    return Path(FOLDER / "scene_classifier" / "classes.txt").read_text("utf-8").splitlines().index(name)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("golden retriever", "dog"),
        ("Egyptian Mau", "cat"),
        ("bald eagle", "bird"),
        ("pizza", "food"),
        ("espresso", "drink"),
        ("beach", "beach"),
        ("mountain", "mountain"),
        ("lakeshore", "water"),
        ("castle", "building"),
        ("sports car", "car"),
        ("daisy", "flower"),
        ("plant pot", "plant"),
        ("soccer ball", "sports"),
        ("candle", "celebration"),
        ("menu", "document"),
        ("laptop computer", "screen"),
        ("graduation cap", "graduation"),
        ("bridegroom", "wedding"),
    ],
)
def test_a_certain_class_gives_its_tag(name: str, tag: str) -> None:
    index = _class(name) if name != "golden retriever" else _class("Golden Retriever")

    assert tag in {found.name for found in album_tags(_certain(index)) if found.score > 0.99}


def test_classes_of_one_tag_add_up() -> None:
    (cat,) = [tag for tag in album_tags(_certain(_class("tabby cat"), _class("Siamese cat"))) if tag.name == "cat"]

    assert cat.score == pytest.approx(1, abs=1e-3)


def test_a_classifier_that_knows_nothing_gives_no_tags() -> None:
    assert album_tags(np.zeros(CLASSES, np.float32)) == ()


def test_of_equal_tags_the_more_particular_comes_first() -> None:
    names = [tag.name for tag in album_tags(_certain(_class("monarch butterfly")))]

    assert names[:3] == ["butterfly", "insect", "animal"]


def test_there_are_some_fifty_tags_of_known_classes() -> None:
    groups = tag_groups()

    assert 40 <= len(groups) <= 60
    assert all(groups.values())
    assert all(0 <= index < CLASSES for classes in groups.values() for index in classes)


def test_every_class_has_a_name() -> None:
    assert len((FOLDER / "scene_classifier" / "classes.txt").read_text("utf-8").splitlines()) == CLASSES


@pytest.mark.parametrize(("index", "kind"), list(enumerate(KINDS)))
def test_the_likeliest_kind_wins(index: int, kind: Kind) -> None:
    probabilities = np.full(4, 0.1, np.float32)
    probabilities[index] = 0.7

    assert kind_of(probabilities).kind == kind
    assert kind_of(probabilities).score == pytest.approx(0.7)


def _kinds(photo: float, document: float, receipt: float, screenshot: float) -> NDArray[np.float32]:
    return np.asarray([photo, document, receipt, screenshot], np.float32)


@pytest.mark.parametrize(
    ("kinds", "lines", "area", "wanted"),
    [
        (_kinds(0.6, 0.1, 0.3, 0), 12, 0.2, Kind.RECEIPT),
        (_kinds(0.6, 0.1, 0.3, 0), 2, 0.7, Kind.PHOTO),
        (_kinds(0.6, 0.1, 0.3, 0), 12, 0.01, Kind.PHOTO),
        (_kinds(0.3, 0.6, 0.1, 0), 12, 0.2, Kind.DOCUMENT),
        (_kinds(0.0, 1.0, 0.0, 0), 0, 0.0, Kind.DOCUMENT),
        (_kinds(0.3, 0.6, 0.1, 0), 0, 0.0, Kind.PHOTO),
        (_kinds(0.2, 0.0, 0.2, 0.6), 0, 0.0, Kind.SCREENSHOT),
    ],
)
def test_where_the_head_is_unsure_text_decides(
    kinds: NDArray[np.float32], lines: int, area: float, wanted: Kind
) -> None:
    found = confirmed_kind(kinds, lines=lines, area=area)
    assert found.kind is wanted
    assert 0 <= found.score <= 1


def test_text_is_looked_for_in_everything_but_sure_photos() -> None:
    assert not wants_text(_kinds(0.95, 0.05, 0, 0))
    assert wants_text(_kinds(0.8, 0.2, 0, 0))
    assert wants_text(_kinds(0, 0, 0, 1))
