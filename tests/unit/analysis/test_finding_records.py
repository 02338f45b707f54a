"""Findings as bytes and back."""

from dataclasses import replace

import numpy as np
import pytest

from services.analysis.domain.finding_records import (
    dump_place,
    dump_scene,
    dump_templates,
    load_place,
    load_scene,
    load_templates,
)
from services.analysis.domain.findings import (
    Embedding,
    Parked,
    Place,
    Position,
    SceneFindings,
    Templates,
    Writing,
)
from services.analysis.domain.media import ParkedReason
from tests.unit.analysis.examples import LYON, SCENE

OLD_RECORD = (
    b'{"metadata":{"size":[4,3],"orientation":1,"time":null,"offset":null,"favorite":false,"screenshot":false},'
    b'"kind":["photo",0.9],"tags":[],"faces":[],"quality":[0.5,0.25],"hash":"0000000000000001","vectors":[2]}'
)


def same(one: SceneFindings, other: SceneFindings | Parked) -> bool:
    if not isinstance(other, SceneFindings):
        return False
    plain = replace(one, embedding=np.zeros(0, np.float32)), replace(other, embedding=np.zeros(0, np.float32))
    vectors = zip(_vectors(one), _vectors(other), strict=True)
    return (
        repr(plain[0]) == repr(plain[1])
        and one.writing.lines == other.writing.lines
        and all(np.array_equal(*pair) for pair in vectors)
    )


def _vectors(scene: SceneFindings) -> list[Embedding]:
    return [scene.embedding, *([] if scene.meaning is None else [scene.meaning.vector])]


@pytest.mark.parametrize(
    "scene",
    [
        SCENE,
        replace(SCENE, faces=(), tags=()),
        replace(SCENE, metadata=replace(SCENE.metadata, capture_time=None, utc_offset=None)),
        replace(SCENE, rating=None, writing=Writing(), meaning=None),
    ],
)
def test_what_was_found_survives_its_record(scene: SceneFindings) -> None:
    assert same(scene, load_scene(dump_scene(scene)))


def test_records_of_before_ratings_writing_and_meaning_are_still_read() -> None:
    scene = load_scene(len(OLD_RECORD).to_bytes(4, "big") + OLD_RECORD + np.asarray([1, 2], "<f4").tobytes())
    assert isinstance(scene, SceneFindings)
    assert (scene.rating, scene.writing, scene.meaning, scene.embedding.tolist()) == (None, Writing(), None, [1, 2])


def test_why_nothing_was_found_survives_its_record() -> None:
    parked = Parked(ParkedReason.CORRUPT, "it was cut short")
    assert load_scene(dump_scene(parked)) == parked


@pytest.mark.parametrize("place", [LYON, Place(None), Place(Position(-33.856784123, -151.215297456))])
def test_a_place_survives_its_record_which_does_not_say_by_its_length_whether_there_is_one(place: Place) -> None:
    assert load_place(dump_place(place)) == place
    assert len(dump_place(place)) == len(dump_place(Place(None)))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_templates_survive_their_record(count: int) -> None:
    templates = Templates({2 * n: np.full(128, n, np.float32) for n in range(count)})
    loaded = load_templates(dump_templates(templates)).by_face
    assert list(loaded) == list(templates.by_face)
    assert all(np.array_equal(loaded[index], templates.by_face[index]) for index in loaded)
