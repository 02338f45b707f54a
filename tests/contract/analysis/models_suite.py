"""What the analysis relies on in models, whatever serves them."""

from datetime import timedelta

import numpy as np
import pytest

from inference.vision.pictures import Picture
from inference.vision.reading import words_of
from inference.vision.text import LINE_HEIGHT, LINE_WIDTH
from services.analysis.ports import Models

BLANK = np.full((640, 640, 3), 90, np.uint8)
SQUARE = np.full((224, 224, 3), 90, np.uint8)


class ModelsSuite:
    """Subclasses give `models`, and `portrait`: a canvas with one face in its upper left quarter."""

    async def test_a_face_is_found_where_it_is(self, models: Models, portrait: Picture) -> None:
        found = await models.detect(portrait)
        assert (found.scores > 0.5).sum() == 1
        left, top, right, bottom = found.boxes[0]
        assert 0 <= left < right <= 330
        assert 0 <= top < bottom <= 330

    async def test_its_points_are_in_it_and_in_order(self, models: Models, portrait: Picture) -> None:
        found = await models.detect(portrait)
        left, top, right, bottom = found.boxes[0]
        points = found.landmarks[0]
        assert np.all((points >= (left, top)) & (points <= (right, bottom)))
        assert points[0, 0] < points[1, 0]
        assert points[:2, 1].max() < points[3:, 1].min()

    async def test_scores_fall(self, models: Models, portrait: Picture) -> None:
        found = await models.detect(portrait)
        assert np.all(np.diff(found.scores) <= 0)
        assert found.boxes.shape == (len(found.scores), 4)
        assert found.landmarks.shape == (len(found.scores), 5, 2)

    async def test_where_no_person_is_no_face_is_found(self, models: Models) -> None:
        assert (await models.detect(BLANK)).scores.max() < 0.5

    async def test_a_scene_is_described(self, models: Models) -> None:
        scene = await models.classify(SQUARE)
        assert (scene.logits.shape, scene.embedding.shape) == ((1000,), (1280,))
        assert np.isfinite(scene.logits).all()

    async def test_the_same_scene_is_described_the_same(self, models: Models) -> None:
        one, other = await models.classify(SQUARE), await models.classify(SQUARE)
        assert np.array_equal(one.embedding, other.embedding)

    async def test_kinds_are_probabilities(self, models: Models) -> None:
        kinds = (await models.classify(SQUARE)).kinds
        assert kinds.shape == (4,)
        assert float(kinds.sum()) == pytest.approx(1, abs=1e-4)

    async def test_what_shows_nothing_is_not_intimate(self, models: Models) -> None:
        assert 0 <= await models.rate(SQUARE) < 0.5

    async def test_where_nothing_is_written_no_text_is_found(self, models: Models) -> None:
        found = await models.find_text(BLANK)
        assert found.shape == (640, 640)
        assert found.dtype == np.uint8
        assert found.max() < 127

    @pytest.mark.parametrize("count", [0, 1, 3, 17])
    async def test_lines_are_answered_one_by_one(self, models: Models, count: int) -> None:
        found = await models.read([BLANK[:LINE_HEIGHT, :LINE_WIDTH]] * count)
        assert len(found) == count
        assert all(len(each.tokens) == len(each.scores) for each in found)
        assert [words_of(each.tokens, each.scores).text for each in found] == [""] * count

    async def test_the_same_words_mean_the_same_and_others_something_else(self, models: Models) -> None:
        found = await models.describe(["a dog on the beach", "a dog on the beach", "tax return"])
        assert found.encoder == (await models.identities())["text_encoder"]
        one, same, other = found.vectors
        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-3)
        assert one @ same == pytest.approx(1, abs=1e-3)
        assert one @ other < 0.6

    @pytest.mark.parametrize("text", ["", "?!", "\u732b", "a " * 500, "\U0001f415\n\x00"])
    async def test_any_text_means_something(self, models: Models, text: str) -> None:
        (found,) = (await models.describe([text])).vectors
        assert np.isfinite(found).all()

    @pytest.mark.parametrize("count", [1, 5, 70])
    async def test_faces_are_described_alone_as_in_company(self, models: Models, count: int) -> None:
        random = np.random.default_rng(1)
        chips = [random.integers(0, 255, (150, 150, 3), np.uint8) for _ in range(count)]
        together = await models.embed(chips)
        alone = await models.embed(chips[-1:])
        assert together.shape == (count, 128)
        assert np.allclose(together[-1], alone[0], atol=1e-4)

    async def test_nothing_keeps_one_from_asking(self, models: Models) -> None:
        await models.classify(SQUARE)
        assert models.paused() == timedelta()
