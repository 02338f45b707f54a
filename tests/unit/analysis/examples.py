"""One analysis as it may come out, with everything in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np

from services.analysis.domain.findings import (
    Analysis,
    FoundFace,
    Kind,
    Meaning,
    Metadata,
    Place,
    Position,
    Rating,
    SceneFindings,
    Sensitivity,
    Tag,
    Templates,
    TextLine,
    Writing,
)
from services.analysis.domain.media import MediaState

TAKEN = datetime(2026, 6, 1, 12, 30, 1, 250000, tzinfo=UTC)
FACE = FoundFace((0.1, 0.2, 0.3, 0.4), 0.9, tuple((0.1 * n, 0.2) for n in range(5)))
SCENE = SceneFindings(
    metadata=Metadata(4000, 3000, 6, TAKEN, timedelta(hours=-3, minutes=-30), favorite=True, screenshot=False),
    kind=Kind.RECEIPT,
    kind_score=0.75,
    tags=(Tag("cat", 0.5), Tag("sea life", 0.25)),
    faces=(FACE, replace(FACE, score=0.6)),
    sharpness=0.5,
    exposure=0.25,
    perceptual_hash=0x8000_0000_0000_0001,
    embedding=np.arange(1280, dtype=np.float32),
    rating=Rating(Sensitivity.REVIEW, 0.625),
    writing=Writing(0.25, (TextLine("TOTAL 12,30 \u20ac", 0.875, (0.1, 0.2, 0.5, 0.03)),)),
    meaning=Meaning(np.linspace(-1, 1, 384, dtype=np.float16).astype(np.float32), "text_encoder-1"),
)
TEMPLATES = Templates({1: np.arange(128, dtype=np.float32)})
LYON = Place(Position(45.75, 4.85))


def analysis(media: UUID | None = None, scene: SceneFindings | None = SCENE) -> Analysis:
    return Analysis(
        media=media or uuid4(),
        state=MediaState.DONE,
        models=("vision-1",),
        analyze_time=TAKEN,
        delete_time=TAKEN,
        scene=scene,
        place=LYON,
        templates=TEMPLATES,
    )
