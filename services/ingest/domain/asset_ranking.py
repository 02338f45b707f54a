"""Ranking of assets by what they promise for suggestions, judged from what the phone says before a byte is uploaded.

Pictures that a camera made of the world promise more than what was passed on or drawn: they have more pixels, more
bytes to the pixel, a camera's name and a camera's shape. The newest promise more, and the first of a burst more than
its followers, so that whatever is uploaded first covers the whole roll. Favourites precede all, screenshots follow all.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from services.ingest.domain.media import Asset
from services.picture_files.screenshots import is_screenshot_name

BURST_GAP = timedelta(seconds=3)
"""Shots no further apart than this belong to one burst."""

_CAMERA_NAME = re.compile(
    r"^(img_\d|dscn?_?\d|dscf\d|_?mg_\d|pxl_\d|p\d{7}|mvimg_|gopr\d|dji_\d|\d{8}_\d{6})", re.IGNORECASE
)
_PASSED_ON_NAME = re.compile(
    r"-wa\d{4}|whatsapp|^fb_img|^received_|telegram|^signal-|snapchat|^download|meme|^giphy|^sticker", re.IGNORECASE
)
_CAMERA_TYPES = frozenset({"image/jpeg", "image/heic", "image/heif"})
_FULL_PIXELS = 8_000_000
_FEW_PIXELS = 300_000
_FLAT_BYTES_PER_PIXEL = 0.05
_LONGEST_SHAPE = 2.4
_DEEPEST_IN_BURST = 4


def is_screenshot(asset: Asset) -> bool:
    """Tells whether an asset is a screenshot, by the phone's word or by its name."""
    return asset.screenshot or is_screenshot_name(PurePosixPath(asset.file_name).name)


def places_in_burst(assets: Iterable[Asset]) -> Mapping[str, int]:
    """Return for each asset, by its client_id, how many shots of its burst come before it."""
    timed = sorted((asset.capture_time, asset.client_id) for asset in assets if asset.capture_time is not None)
    places: dict[str, int] = {}
    last: datetime | None = None
    place = 0
    for time, client_id in timed:
        place = place + 1 if last is not None and time - last <= BURST_GAP else 0
        places[client_id], last = place, time
    return places


def rank(asset: Asset, *, newest: datetime, window: timedelta, place_in_burst: int) -> tuple[int, float]:
    """Return a key by which assets sort from the most to the least promising.

    Args:
        asset: The asset.
        newest: The moment that counts as now.
        window: An asset of this age has no bonus for being new.
        place_in_burst: How many shots of its burst come before it.
    """
    group = 2 if is_screenshot(asset) else 0 if asset.favorite else 1
    promise = _origin(asset) + _substance(asset) + _novelty(asset, newest, window)
    return group, -(promise - 0.15 * min(place_in_burst, _DEEPEST_IN_BURST))


def _origin(asset: Asset) -> float:
    name = PurePosixPath(asset.file_name).name
    score = 0.2 if asset.content_type in _CAMERA_TYPES else 0.0
    if _PASSED_ON_NAME.search(name):
        return score - 0.3
    return score + (0.2 if _CAMERA_NAME.match(name) else 0.0)


def _substance(asset: Asset) -> float:
    pixels = asset.width * asset.height
    if pixels <= 0:
        return 0.0
    score = 0.3 * min(1.0, pixels / _FULL_PIXELS)
    score -= 0.2 if pixels < _FEW_PIXELS else 0.0
    score -= 0.2 if asset.size_bytes / pixels < _FLAT_BYTES_PER_PIXEL else 0.0
    shape = asset.long_side / min(asset.width, asset.height)
    return score - (0.2 if shape > _LONGEST_SHAPE else 0.0)


def _novelty(asset: Asset, newest: datetime, window: timedelta) -> float:
    if asset.capture_time is None:
        return 0.0
    age = max(newest - asset.capture_time, timedelta())
    return 0.2 * max(0.0, 1.0 - age / window)
