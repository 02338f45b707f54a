"""What is understood of the sample roll: papers and screens are told from photos and read, nothing is intimate."""

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
from services.analysis.domain import Purpose
from services.analysis.findings import Meaning, Metadata, Seen, Sensitivity
from services.analysis.matching import Match, Query, best_matches, plain_words
from services.analysis.pictures import Limits, prepare_decoders
from services.analysis.understanding import Eyes, understand
from services.analysis.wording import Wording
from tests.integration.analysis.local_models import LocalModels
from tests.unit.analysis.test_matching import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
NOTHING_KNOWN = Metadata(0, 0, 1, None, None, favorite=False, screenshot=False)


class Understood:
    """The roll as it was understood: what each file is by its list, and what was seen in it."""

    def __init__(self, models: LocalModels) -> None:
        self.models = models
        self.kinds: dict[str, str] = {}
        self.seen: dict[str, Seen] = {}

    def of(self, kind: str) -> dict[str, Seen]:
        return {file: seen for file, seen in self.seen.items() if self.kinds[file] == kind}

    async def search(self, text: str) -> list[str]:
        """Returns the files that fit words, best first."""
        found = await self.models.describe([text])
        analyses = {file: picture(seen) for file, seen in self.seen.items()}
        matches: list[Match] = best_matches(
            Query(plain_words(text), Meaning(found.vectors[0], found.encoder)), analyses.values()
        )
        files = {each.media: file for file, each in analyses.items()}
        return [files[match.media] for match in matches]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def roll(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Understood]:
    prepare_decoders()
    build_all(default_home())
    wheels = open_library(tmp_path_factory.mktemp("cache"), fetch=lambda package, folder: None)
    built = build_roll(tmp_path_factory.mktemp("roll"), now=NOW, library=wheels)
    models = LocalModels(default_home())
    understood = Understood(models)
    with ThreadPoolExecutor(1) as threads:
        eyes = Eyes(models, threads, Limits(), Wording(models))
        for row in built.files:
            understood.kinds[row.file] = row.kind
            understood.seen[row.file] = await _seen(built.pictures / row.file, eyes)
        yield understood


async def _seen(path: Path, eyes: Eyes) -> Seen:
    own = Purpose.CLOUD_PROCESSING
    found = await understand(
        path.read_bytes(),  # noqa: ASYNC240  # nobody else is waiting
        NOTHING_KNOWN,
        wanted=frozenset({own}),
        own=own,
        known=None,
        encoder=identities()["text_encoder"],
        eyes=eyes,
    )
    assert found.seen is not None
    return found.seen


async def test_every_paper_and_screen_is_recognised_and_no_photo_is_taken_for_one(roll: Understood) -> None:
    assert {file: seen.kind.value for file, seen in roll.seen.items()} == roll.kinds
    assert {"photo", "receipt", "document", "screenshot"} == set(roll.kinds.values())


async def test_nothing_in_it_is_intimate(roll: Understood) -> None:
    rated = {file: seen.rating for file, seen in roll.seen.items()}
    assert [file for file, rating in rated.items() if rating is None or rating.level is not Sensitivity.SAFE] == []
    assert max(rating.score for rating in rated.values() if rating is not None) < 0.5


async def test_receipts_are_read_with_their_totals(roll: Understood) -> None:
    for file, seen in roll.of("receipt").items():
        lines = [line.text for line in seen.writing.lines]
        assert len(lines) >= 8, file
        assert any("TOTAL" in line.upper() or "MONTANT" in line.upper() for line in lines), (file, lines)
        assert any(any(letter.isdigit() for letter in line) for line in lines)


@pytest.mark.parametrize("kind", ["receipt", "document", "screenshot"])
async def test_whatever_is_there_to_be_read_is_read_and_lies_in_the_picture(roll: Understood, kind: str) -> None:
    for file, seen in roll.of(kind).items():
        assert len(seen.writing.lines) >= 4, file
        assert 0.05 <= seen.writing.area <= 1
        assert all(0 <= edge <= 1 for line in seen.writing.lines for edge in line.box)


async def test_in_photos_nothing_is_read(roll: Understood) -> None:
    assert [file for file, seen in roll.of("photo").items() if seen.writing.lines] == []


@pytest.mark.parametrize(
    ("words", "kind"), [("receipt", "receipt"), ("screenshots", "screenshot"), ("a document", "document")]
)
async def test_kinds_are_found_by_their_names(roll: Understood, words: str, kind: str) -> None:
    of_it = roll.of(kind)
    assert set((await roll.search(words))[: len(of_it)]) == set(of_it)


async def test_photos_are_found_by_what_they_show(roll: Understood) -> None:
    best = (await roll.search("a cat"))[0]
    assert "cat" in {tag.name for tag in roll.seen[best].tags}


async def test_receipts_are_found_by_what_they_say(roll: Understood) -> None:
    assert [roll.kinds[file] for file in (await roll.search("pharmacie"))[:1]] == ["receipt"]
