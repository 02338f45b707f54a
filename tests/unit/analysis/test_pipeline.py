"""What is learnt of which picture, in which order, and what is not."""

import cv2
import numpy as np
import pytest
from PIL import Image

from inference.vision.pictures import Picture
from inference.vision.text import MOST_LINES
from services.analysis.domain.findings import Kind, SceneFindings, Sensitivity, Templates
from services.analysis.domain.media import MediaState, ParkedReason
from services.analysis.domain.retries import MAX_FAULTS
from services.analysis.errors import ModelAnswerBroken
from tests.fakes.models import FACE_COLOUR, INTIMATE_COLOUR, TEXT_COLOUR, WRITTEN
from tests.unit.analysis.harness import ANN, EVERYTHING, Harness
from tests.unit.analysis.photos import encode

SIDE = 400


def picture(shade: int = 120, *, intimate: float = 0.0, face: bool = False, lines: int = 0) -> bytes:
    """Return a file: some of it intimate from the left on, perhaps a face, and lines of text."""
    pixels = np.full((SIDE, SIDE, 3), shade, np.uint8)
    pixels[:, : round(intimate * SIDE)] = INTIMATE_COLOUR
    if face:
        pixels[100:180, 120:200] = FACE_COLOUR
    for number in range(lines):
        top = 10 + number * SIDE // max(lines + 1, 2)
        pixels[top : top + 5, 40:90] = TEXT_COLOUR
    return encode(Image.fromarray(pixels), "PNG")


async def seen(harness: Harness, data: bytes, *, screenshot: bool = False) -> SceneFindings:
    harness.keyring.grant(ANN, *EVERYTHING)
    await harness.bring_in(data, screenshot=screenshot)
    await harness.work()
    found = (await harness.only()).scene
    assert found is not None
    return found


async def test_whether_a_picture_may_be_looked_at_is_asked_before_anything_else(harness: Harness) -> None:
    await seen(harness, picture(face=True))
    assert set(harness.models.asked[:2]) == {"scene_classifier", "sensitive_content"}
    assert harness.models.asked[2:] == ["face_detector", "face_embedder"]


async def test_of_an_excluded_picture_nothing_is_kept_that_says_what_it_shows(harness: Harness) -> None:
    found = await seen(harness, picture(intimate=0.98, face=True))
    assert found.rating is not None
    assert found.rating.level is Sensitivity.EXCLUDED
    assert (found.tags, found.faces, found.writing.lines, found.meaning) == ((), (), (), None)
    assert not found.embedding.any()
    assert sorted(harness.models.asked) == ["scene_classifier", "sensitive_content"]
    assert (await harness.only()).templates == Templates({})
    assert len(await harness.previews()) == 1


async def test_a_doubtful_picture_is_analysed_as_any_other_and_says_so(harness: Harness) -> None:
    found = await seen(harness, picture(intimate=0.65))
    assert found.rating is not None
    assert found.rating.level is Sensitivity.REVIEW
    assert found.rating.score == pytest.approx(0.62, abs=0.02)
    assert found.tags
    assert found.embedding.any()


async def test_a_safe_picture_says_so(harness: Harness) -> None:
    found = await seen(harness, picture())
    assert found.rating is not None
    assert (found.rating.level, found.rating.score) == (Sensitivity.SAFE, 0.0)


async def test_in_a_photo_text_is_not_looked_for(harness: Harness) -> None:
    found = await seen(harness, picture(lines=5))
    assert (found.kind, found.writing.lines) == (Kind.PHOTO, ())
    assert "text_detector" not in harness.models.asked


async def test_papers_are_read_line_by_line_from_the_top(harness: Harness) -> None:
    found = await seen(harness, picture(255, lines=4))
    assert found.kind is Kind.DOCUMENT
    assert [line.text for line in found.writing.lines] == [WRITTEN] * 4
    tops = [line.box[1] for line in found.writing.lines]
    assert tops == sorted(tops)
    assert all(0 <= edge <= 1 for line in found.writing.lines for edge in line.box)
    assert 0.005 < found.writing.area < 0.1


async def test_so_many_lines_are_read_and_no_more(harness: Harness) -> None:
    found = await seen(harness, picture(255, lines=MOST_LINES + 6))
    assert (len(found.writing.lines), harness.models.lines) == (MOST_LINES, MOST_LINES)


async def test_a_sure_page_too_far_away_for_lines_stays_a_page(harness: Harness) -> None:
    found = await seen(harness, picture(255))
    assert (found.kind, found.writing.lines, found.writing.area) == (Kind.DOCUMENT, (), 0)
    assert harness.models.lines == 0


async def test_what_the_phone_knows_for_a_screenshot_is_read_as_well(harness: Harness) -> None:
    found = await seen(harness, picture(lines=3), screenshot=True)
    assert (found.kind, found.kind_score, len(found.writing.lines)) == (Kind.SCREENSHOT, 1.0, 3)


async def test_faces_on_papers_are_never_described(harness: Harness) -> None:
    found = await seen(harness, picture(255, face=True, lines=4))
    assert (found.kind, len(found.faces)) == (Kind.DOCUMENT, 1)
    assert (harness.models.chips, (await harness.only()).templates) == ([], Templates({}))


async def test_face_grouping_granted_later_finds_no_template_in_what_is_excluded(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in(picture(intimate=0.98, face=True))
    await harness.bring_in(picture(face=True))
    await harness.work()
    harness.keyring.grant(ANN, "FACE_GROUPING")
    await harness.worker.sweep_grants()
    await harness.work()
    assert len(harness.models.chips) == 1
    assert all(each.templates is not None for each in await harness.known())


SHAPES = [(1, 1), (3, 3), (3, 400), (1, 4000), (4000, 1), (2, 9000)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
@pytest.mark.parametrize("shade", [0, 120, 255])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_sliver_is_analysed_as_far_as_there_is_anything(
    harness: Harness, shape: tuple[int, int], shade: int, kind: str
) -> None:
    pixels: Picture = np.full((*shape, 3), shade, np.uint8)
    found = await seen(harness, encode(Image.fromarray(pixels), kind))
    assert 0 <= found.sharpness <= 1
    assert found.faces == ()


@pytest.mark.parametrize("shape", [(3, 400), (400, 3), (1, 4000)])
async def test_a_sliver_full_of_text_is_read_without_harm(harness: Harness, shape: tuple[int, int]) -> None:
    pixels = np.full((*shape, 3), 255, np.uint8)
    cv2.rectangle(pixels, (0, 0), (shape[1] // 20, shape[0] // 20), TEXT_COLOUR, -1)
    await seen(harness, encode(Image.fromarray(pixels), "PNG"), screenshot=True)
    assert (await harness.only()).state is MediaState.DONE


async def test_answers_that_are_no_numbers_are_tried_again_and_then_parked_with_a_reason(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    await harness.bring_in()
    rate = harness.models.rate

    async def broken(square: Picture) -> float:
        await rate(square)
        raise ModelAnswerBroken("sensitive_content", "holds what is no number (NaN or infinite)", "probability")

    harness.models.rate = broken  # type: ignore[method-assign]
    for _ in range(MAX_FAULTS + 1):
        await harness.work_in(31)
    parked = (await harness.only()).parked
    assert parked is not None
    assert parked.reason is ParkedReason.GIVEN_UP
    assert "again and again" in parked.detail
