"""Upload plan: which assets are wanted, in which form and in which order, and why the others are not."""

import mimetypes
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from uuid import UUID

from services.ingest.domain.asset_ranking import is_screenshot, places_in_burst, rank
from services.ingest.domain.media import Asset, MediaForm, MediaType
from services.ingest.domain.window import Window

REDUCED_BYTES = 1024 * 1024
"""What a reduced copy is reckoned to need when the person's share is handed out."""

_ALIASES = frozenset({"image/jpg", "image/pjpeg", "image/heif", "image/heic-sequence", "image/heif-sequence"})
_TYPES = frozenset(MediaType) | _ALIASES


class PlanAction(StrEnum):
    """What to do with an asset."""

    UPLOAD_REDUCED = "UPLOAD_REDUCED"
    UPLOAD_ORIGINAL = "UPLOAD_ORIGINAL"
    SKIP = "SKIP"


class PlanReason(StrEnum):
    """Why the plan says so; the contract explains each."""

    IN_WINDOW = "IN_WINDOW"
    SMALL = "SMALL"
    OLDER_MEDIA_GRANTED = "OLDER_MEDIA_GRANTED"
    ORIGINAL_WANTED = "ORIGINAL_WANTED"
    SCREENSHOT = "SCREENSHOT"
    KNOWN = "KNOWN"
    DUPLICATE = "DUPLICATE"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    QUOTA = "QUOTA"
    TYPE_UNSUPPORTED = "TYPE_UNSUPPORTED"
    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    DELETED = "DELETED"
    MISSING = "MISSING"


@dataclass(frozen=True)
class PlanItem:
    """The plan for one asset; `media_id` if it is kept already."""

    client_id: str
    action: PlanAction
    reason: PlanReason
    media_id: UUID | None = None


@dataclass(frozen=True)
class OlderMedia:
    """How far OLDER_MEDIA reaches back.

    Attributes:
        granted: Whether it reaches back at all.
        since: How far; None is without bound.
    """

    granted: bool
    since: datetime | None = None

    def covers(self, capture_time: datetime | None) -> bool:
        """Tells whether a picture taken then, before the window, may come in."""
        if not self.granted or self.since is None:
            return self.granted
        return capture_time is not None and capture_time >= self.since


@dataclass(frozen=True)
class Known:
    """A media that is kept, or whose bytes are missing."""

    media_id: UUID
    form: MediaForm
    original_wanted: bool
    missing: bool = False


@dataclass(frozen=True)
class PlanRules:
    """Settings of the plan.

    Attributes:
        reduced_long_side: In pixels; what is larger is wanted as a reduced copy.
        max_bytes: Of one file.
        max_pixels: Of one picture.
        max_side: In pixels.
        window: Length of the rolling window.
    """

    reduced_long_side: int
    max_bytes: int
    max_pixels: int
    max_side: int
    window: timedelta

    def is_too_large(self, asset: Asset) -> bool:
        """Tells whether an asset is larger than what is taken as it is."""
        too_many_pixels = asset.long_side > self.max_side or asset.width * asset.height > self.max_pixels
        return asset.size_bytes > self.max_bytes or too_many_pixels

    def wants_reduced(self, asset: Asset) -> bool:
        """Tells whether a reduced copy of an asset is enough: of what is larger than such a copy."""
        return asset.long_side > self.reduced_long_side


@dataclass(frozen=True)
class Situation:
    """What the plan depends on besides the assets.

    Attributes:
        now: The server's clock.
        window: The rolling window.
        older_media: How far back the person lets us go.
        known: Media that are kept, by the SHA-256 of their original.
        deleted: SHA-256 of originals that their owner deleted here.
        free_bytes: What is left of the person's share.
        can_reduce: Whether the phone can make reduced copies.
    """

    now: datetime
    window: Window
    older_media: OlderMedia
    known: Mapping[bytes, Known] = field(default_factory=dict)
    deleted: Collection[bytes] = frozenset()
    free_bytes: int = 0
    can_reduce: bool = True


def plan(assets: Sequence[Asset], situation: Situation, rules: PlanRules) -> list[PlanItem]:
    """Return an item for each asset: uploads first, by rank, then what is skipped, in order of request."""
    judged = [
        _judge(asset, situation, rules, is_repeated=repeated)
        for asset, repeated in zip(assets, _repeated(assets), strict=True)
    ]
    wanted = [(asset, item) for asset, item in zip(assets, judged, strict=True) if item.action is not PlanAction.SKIP]
    ordered = _within_quota(_by_rank(wanted, situation, rules), situation.free_bytes)
    granted = [item for item in ordered if item.action is not PlanAction.SKIP]
    skipped = {item.client_id: item for item in (*judged, *ordered) if item.action is PlanAction.SKIP}
    return granted + [skipped[asset.client_id] for asset in assets if asset.client_id in skipped]


def _judge(asset: Asset, situation: Situation, rules: PlanRules, *, is_repeated: bool) -> PlanItem:
    known = situation.known.get(asset.sha256)
    media_id = None if known is None else known.media_id
    action, reason = _refusal(asset, situation, rules, known, is_repeated=is_repeated) or _upload(
        asset, situation, rules, known
    )
    return PlanItem(asset.client_id, action, reason, media_id)


def _refusal(
    asset: Asset, situation: Situation, rules: PlanRules, known: Known | None, *, is_repeated: bool
) -> tuple[PlanAction, PlanReason] | None:
    in_reach = situation.window.holds(asset.capture_time) or situation.older_media.covers(asset.capture_time)
    checks = (
        (not asset.size_bytes, PlanReason.EMPTY),
        (not _is_supported(asset), PlanReason.TYPE_UNSUPPORTED),
        (rules.is_too_large(asset) and not _comes_reduced(asset, situation, rules), PlanReason.TOO_LARGE),
        (is_repeated, PlanReason.DUPLICATE),
        (known is not None and not (known.missing or _wants_original(asset, known, rules)), PlanReason.KNOWN),
        (known is None and asset.sha256 in situation.deleted, PlanReason.DELETED),
        (known is None and not in_reach, PlanReason.OUTSIDE_WINDOW),
    )
    return next(((PlanAction.SKIP, reason) for refused, reason in checks if refused), None)


def _upload(asset: Asset, situation: Situation, rules: PlanRules, known: Known | None) -> tuple[PlanAction, PlanReason]:
    if known is not None and (_wants_original(asset, known, rules) or _was_original(asset, known, rules)):
        return PlanAction.UPLOAD_ORIGINAL, PlanReason.MISSING if known.missing else PlanReason.ORIGINAL_WANTED
    action = PlanAction.UPLOAD_REDUCED if _comes_reduced(asset, situation, rules) else PlanAction.UPLOAD_ORIGINAL
    if known is not None:
        return action, PlanReason.MISSING
    if is_screenshot(asset):
        return action, PlanReason.SCREENSHOT
    if not situation.window.holds(asset.capture_time):
        return action, PlanReason.OLDER_MEDIA_GRANTED
    return action, PlanReason.SMALL if 0 < asset.long_side <= rules.reduced_long_side else PlanReason.IN_WINDOW


def _by_rank(
    wanted: Sequence[tuple[Asset, PlanItem]], situation: Situation, rules: PlanRules
) -> list[tuple[Asset, PlanItem]]:
    places = places_in_burst(asset for asset, _ in wanted)

    def key(entry: tuple[Asset, PlanItem]) -> tuple[bool, tuple[int, float]]:
        asset, item = entry
        place = places.get(asset.client_id, 0)
        ranking = rank(asset, newest=situation.now, window=rules.window, place_in_burst=place)
        # Its owner waits for it: they saved a suggestion made of it, or believe that it is kept.
        return item.reason not in (PlanReason.ORIGINAL_WANTED, PlanReason.MISSING), ranking

    return sorted(wanted, key=key)


def _within_quota(wanted: Sequence[tuple[Asset, PlanItem]], free_bytes: int) -> list[PlanItem]:
    items: list[PlanItem] = []
    for asset, item in wanted:
        needed = _bytes_needed(asset, item.action)
        if needed > free_bytes:
            items.append(PlanItem(asset.client_id, PlanAction.SKIP, PlanReason.QUOTA, item.media_id))
        else:
            free_bytes -= needed
            items.append(item)
    return items


def _bytes_needed(asset: Asset, action: PlanAction) -> int:
    return min(asset.size_bytes, REDUCED_BYTES) if action is PlanAction.UPLOAD_REDUCED else asset.size_bytes


def _repeated(assets: Sequence[Asset]) -> list[bool]:
    """Tells for each asset whether one further up is the same file; an empty file is not called a duplicate."""
    seen: set[bytes] = set()
    repeated: list[bool] = []
    for asset in assets:
        repeated.append(asset.sha256 in seen)
        seen.add(asset.sha256)
    return repeated


def _comes_reduced(asset: Asset, situation: Situation, rules: PlanRules) -> bool:
    """Tells whether the phone is asked for a reduced copy, which may be made of more than is taken as it is."""
    return situation.can_reduce and rules.wants_reduced(asset)


def _wants_original(asset: Asset, known: Known, rules: PlanRules) -> bool:
    return known.original_wanted and known.form is MediaForm.REDUCED and not rules.is_too_large(asset)


def _was_original(asset: Asset, known: Known, rules: PlanRules) -> bool:
    return known.form is MediaForm.ORIGINAL and not rules.is_too_large(asset)


def _is_supported(asset: Asset) -> bool:
    """Tells whether the type is taken; what neither phone nor name can tell is found out at the upload."""
    # Of the name only how it ends: some names look like addresses of the web.
    ending = PurePosixPath(asset.file_name).suffix
    content_type = asset.content_type or mimetypes.guess_type(f"file{ending}", strict=False)[0]
    return content_type is None or content_type.lower() in _TYPES
