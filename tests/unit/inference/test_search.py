"""Words and pictures meet between the classes that a picture may show."""

import numpy as np
import pytest

from inference.vision.search import LabelVectors, label_sentences, picture_vector, rank
from inference.vision.tags import CLASSES
from inference.vision.words import LENGTH, word_pieces

_AXES = LabelVectors("test-1", np.eye(CLASSES + 2, dtype=np.float32))


def _logits(**likely: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    logits = np.full(CLASSES, -20, np.float32)
    for name, value in likely.items():
        logits[int(name[1:])] = value
    return logits


def test_a_picture_points_where_its_likeliest_classes_do() -> None:
    vector = picture_vector(_logits(c5=2.0, c7=2.0), _AXES)

    assert np.linalg.norm(vector) == pytest.approx(1)
    assert np.flatnonzero(vector > 0.1).tolist() == [5, 7]


@pytest.mark.parametrize(("faces", "label"), [(1, 0), (2, 0), (3, 1), (9, 1)])
def test_faces_point_to_people(faces: int, label: int) -> None:
    vector = picture_vector(_logits(c5=2.0), _AXES, faces=faces)

    assert vector[5] == pytest.approx(vector[CLASSES + label], abs=1e-3)
    assert vector[CLASSES + 1 - label] == 0


def test_every_class_has_a_sentence_with_its_tags() -> None:
    sentences = label_sentences()

    assert len(sentences) == CLASSES + 2
    assert sentences[281].startswith("a photo of a tabby")
    assert {"animal", "pet", "cat"} <= set(sentences[281].split(", "))


def test_pictures_are_ranked_by_how_near_they_point() -> None:
    query = np.asarray([1, 0, 0], np.float32)
    pictures = [np.asarray(vector, np.float32) for vector in ([0, 1, 0], [1, 0, 0], [0.6, 0.8, 0])]

    assert rank(query, pictures) == [(1, 1.0), (2, pytest.approx(0.6)), (0, 0.0)]
    assert rank(query, []) == []


def test_a_sentence_becomes_pieces_between_marks() -> None:
    pieces = word_pieces(["A dog on the beach", "Château, l'été"])

    assert pieces.ids.shape == pieces.mask.shape == (2, LENGTH)
    assert pieces.ids[0, :7].tolist() == [101, 1037, 3899, 2006, 1996, 3509, 102]
    assert pieces.mask[0].sum() == 7
    # Accents and case do not count; commas and apostrophes are pieces.
    assert pieces.ids[1, :9].tolist() == [101, 11874, 1010, 1048, 1005, 3802, 2063, 102, 0]


def test_a_long_sentence_is_cut_off_and_still_ends() -> None:
    (ids,) = word_pieces(["dog " * 400]).ids

    assert ids[-1] == 102


def test_special_names_in_a_sentence_are_words_like_any_other() -> None:
    (ids,) = word_pieces(["[CLS] dog [SEP]"]).ids

    assert (ids == 101).sum() == 1
    assert (ids == 102).sum() == 1


def test_no_sentence_is_an_empty_one() -> None:
    assert word_pieces([""]).ids[0, :3].tolist() == [101, 102, 0]
