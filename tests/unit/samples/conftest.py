"""A small recipe and made-up pictures, so that a roll is built in no time."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from deploy.samples.recipe import Recipe
from deploy.samples.sources import Library

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


def picture(seed: int, width: int = 96, height: int = 72) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def library() -> Library:
    return Library({"chelsea": picture(1), "astronaut": picture(2), "palace": picture(3)})


@pytest.fixture
def plan() -> Recipe:
    phone = {"make": "M", "model": "M 1", "lens": "L", "focal_length": 5.6, "f_number": 1.8}
    small = {"long_side": 64}
    shots: list[dict[str, object]] = [
        {"id": "cat", "event": "pets", "day": 9, "time": "10:00:00", "place": "home", "from": "chelsea", "frames": 2,
         "look": small},
        {"id": "palace", "event": "trip", "day": 5, "time": "11:00:00", "zone": "+01:00", "place": "far",
         "from": "palace", "orientation": 6, "look": {**small, "aspect": "3:4"},
         "or": {"from": "chelsea", "look": {**small, "motion": 0.1}}},
        {"id": "heron", "event": "trip", "day": 4, "time": "12:00:00", "from": "heron", "look": small},
        {"id": "guest", "event": "party", "day": 2, "time": "19:00:00", "from": "astronaut", "format": "heic",
         "phone": "two", "number": 7, "faces": 1, "look": small},
        {"id": "old", "event": "older", "day": 90, "time": "19:00:00", "from": "chelsea", "format": "webp",
         "name": "saved.webp", "look": {**small, "exposure": -4.0}},
    ]  # fmt: skip
    return Recipe.model_validate(
        {
            "places": {"home": (45.5, -73.6), "far": (-33.9, 18.4)},
            "phones": {"p1": {**phone, "naming": "dated"}, "two": {**phone, "naming": "counted"}},
            "shot": shots,
            "copy": [{"of": "cat-1", "name": "Received_%Y%m%d.jpeg", "day": 3}],
        }
    )
