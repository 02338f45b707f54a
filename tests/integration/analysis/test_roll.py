"""What is roll of the sample roll: papers and screens are told from photos and read, nothing is intimate."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.samples import build_roll
from deploy.samples.sources import open_library
from inference.model_build.build import build_all, default_home
from inference.model_build.manifest import identities
from services.analysis.domain.findings import Meaning, Metadata, SceneFindings, Sensitivity
from services.analysis.domain.search_ranking import Match, Query, best_matches, plain_words
from services.analysis.vision.decoding import Limits, prepare_decoders
from services.analysis.vision.label_vectors import LabelVectorSource
from services.analysis.vision.pipeline import VisionModels, analyze_picture
from services.keyring import Purpose
from tests.integration.analysis.local_models import LocalModels
from tests.unit.analysis.test_search_ranking import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
NOTHING_KNOWN = Metadata(0, 0, 1, None, None, favorite=False, screenshot=False)


class AnalyzedRoll:
    """The roll as it was analysed: what each file is by its list, and what was found in it."""

    def __init__(self, models: LocalModels) -> None:
        self.models = models
        self.kinds: dict[str, str] = {}
        self.scenes: dict[str, SceneFindings] = {}

    def of(self, kind: str) -> dict[str, SceneFindings]:
        return {file: scene for file, scene in self.scenes.items() if self.kinds[file] == kind}

    async def search(self, text: str) -> list[str]:
        """Return the files that fit words, best first."""
        found = await self.models.describe([text])
        analyses = {file: picture(scene) for file, scene in self.scenes.items()}
        matches: list[Match] = best_matches(
            Query(plain_words(text), Meaning(found.vectors[0], found.encoder)), analyses.values()
        )
        files = {each.media: file for file, each in analyses.items()}
        return [files[match.media] for match in matches]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roll(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AnalyzedRoll]:
    prepare_decoders()
    build_all(default_home())
    wheels = open_library(tmp_path_factory.mktemp("cache"), fetch=lambda package, folder: None)
    built = build_roll(tmp_path_factory.mktemp("roll"), now=NOW, library=wheels)
    models = LocalModels(default_home())
    roll = AnalyzedRoll(models)
    with ThreadPoolExecutor(1) as threads:
        vision = VisionModels(models, threads, Limits(), LabelVectorSource(models))
        for row in built.files:
            roll.kinds[row.file] = row.kind
            roll.scenes[row.file] = await _scene(built.pictures / row.file, vision)
        yield roll


async def _scene(path: Path, vision: VisionModels) -> SceneFindings:
    own = Purpose.CLOUD_PROCESSING
    found = await analyze_picture(
        path.read_bytes(),  # noqa: ASYNC240  # nothing else waits
        NOTHING_KNOWN,
        wanted=frozenset({own}),
        own=own,
        known=None,
        encoder=identities()["text_encoder"],
        vision=vision,
    )
    assert found.scene is not None
    return found.scene


async def test_every_paper_and_screen_is_recognised_and_no_photo_is_taken_for_one(roll: AnalyzedRoll) -> None:
    assert {file: scene.kind.value for file, scene in roll.scenes.items()} == roll.kinds
    assert {"photo", "receipt", "document", "screenshot"} == set(roll.kinds.values())


async def test_nothing_in_it_is_intimate(roll: AnalyzedRoll) -> None:
    rated = {file: scene.rating for file, scene in roll.scenes.items()}
    assert [file for file, rating in rated.items() if rating is None or rating.level is not Sensitivity.SAFE] == []
    assert max(rating.score for rating in rated.values() if rating is not None) < 0.5


async def test_receipts_are_read_with_their_totals(roll: AnalyzedRoll) -> None:
    for file, scene in roll.of("receipt").items():
        lines = [line.text for line in scene.writing.lines]
        assert len(lines) >= 8, file
        assert any("TOTAL" in line.upper() or "MONTANT" in line.upper() for line in lines), (file, lines)
        assert any(any(letter.isdigit() for letter in line) for line in lines)


@pytest.mark.parametrize("kind", ["receipt", "document", "screenshot"])
async def test_whatever_is_there_to_be_read_is_read_and_lies_in_the_picture(roll: AnalyzedRoll, kind: str) -> None:
    for file, scene in roll.of(kind).items():
        assert len(scene.writing.lines) >= 4, file
        assert 0.05 <= scene.writing.area <= 1
        assert all(0 <= edge <= 1 for line in scene.writing.lines for edge in line.box)


async def test_in_photos_nothing_is_read(roll: AnalyzedRoll) -> None:
    assert [file for file, scene in roll.of("photo").items() if scene.writing.lines] == []


@pytest.mark.parametrize(
    ("words", "kind"), [("receipt", "receipt"), ("screenshots", "screenshot"), ("a document", "document")]
)
async def test_kinds_are_found_by_their_names(roll: AnalyzedRoll, words: str, kind: str) -> None:
    of_it = roll.of(kind)
    assert set((await roll.search(words))[: len(of_it)]) == set(of_it)


async def test_photos_are_found_by_what_they_show(roll: AnalyzedRoll) -> None:
    best = (await roll.search("a cat"))[0]
    assert "cat" in {tag.name for tag in roll.scenes[best].tags}


async def test_receipts_are_found_by_what_they_say(roll: AnalyzedRoll) -> None:
    assert [roll.kinds[file] for file in (await roll.search("pharmacie"))[:1]] == ["receipt"]
