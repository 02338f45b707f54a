"""Change feed of a person's analyses: names of what changed, and what it is now."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from services.analysis.domain.findings import Analysis
from services.analysis.domain.media import analyzed_media
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.open_findings import open_findings
from services.chassis import change_feed
from services.chassis.change_feed import Change, ChangeFeed, ChangeKind, Checkpoint, Reset
from services.chassis.streams import batches
from services.keyring import Purpose
from services.keyring.errors import PurposeNotGranted

__all__ = ["AnalysisChange", "ChangeKind", "Checkpoint", "Item", "Reset", "watch_analyses"]

_TOGETHER = 100
"""Analyses in memory at a time."""


@dataclass(frozen=True)
class AnalysisChange:
    """An analysis that was created or changed, as it is now, or one that is gone.

    Attributes:
        name: `media/{uuid}/analysis`.
        kind: What happened.
        analysis: None if it is gone. Its group of near-duplicates is left out, for it depends on all others.
        cursor: Goes on after this.
    """

    name: str
    kind: ChangeKind
    analysis: Analysis | None
    cursor: str


Item: TypeAlias = AnalysisChange | Checkpoint | Reset


async def watch_analyses(
    subject: str,
    dependencies: Dependencies,
    feed: ChangeFeed,
    *,
    cursor: str = "",
    device: str = "",
    until_checkpoint: bool = False,
) -> AsyncGenerator[Item, None]:
    """Yield what changed since a cursor, a checkpoint, and then what changes.

    An analysis that can no longer be opened is passed over: that it is gone is told as soon as its rows are.

    Args:
        subject: The person's pseudonym.
        dependencies: What is stored, and what opens it.
        feed: Names what changed.
        cursor: As `ChangeFeed.follow`.
        device: Likewise.
        until_checkpoint: Whether to end there.

    Raises:
        PurposeNotGranted: the person does not allow any processing, or not any more; what is gone was told before.
        FieldInvalid: the cursor is none of this person and feed.
        TokenExpired: the caller's token came to its end.
    """
    async with aclosing(batches(feed.follow(subject, cursor, device=device), _TOGETHER)) as told:
        async for batch in told:
            try:
                await dependencies.keyring.open(subject=subject, purpose=Purpose.CLOUD_PROCESSING, ids=[])
                items = await _opened(subject, batch, dependencies)
            except PurposeNotGranted:
                # A withdrawal deletes: what is gone is told before the stream ends.
                for deletion in _deletions(batch):
                    yield deletion
                raise
            for item in items:
                yield item
                if until_checkpoint and isinstance(item, Checkpoint):
                    return


async def _opened(subject: str, batch: Sequence[change_feed.Item], dependencies: Dependencies) -> list[Item]:
    """Return the items with what they name, opened all together."""
    named = [analyzed_media(item.resource) for item in batch if isinstance(item, Change) and not _is_gone(item)]
    opened = await open_findings(subject, dependencies, named) if named else []
    analyses = {analysis.media: analysis for analysis in opened}
    items: list[Item] = []
    for item in batch:
        if not isinstance(item, Change):
            items.append(item)
            continue
        found = None if _is_gone(item) else analyses.get(analyzed_media(item.resource))
        if found is not None or _is_gone(item):
            items.append(AnalysisChange(item.resource, item.kind, found, item.cursor))
    return items


def _deletions(batch: Sequence[change_feed.Item]) -> Iterator[AnalysisChange]:
    for item in batch:
        if isinstance(item, Change) and _is_gone(item):
            yield AnalysisChange(item.resource, item.kind, None, item.cursor)


def _is_gone(change: Change) -> bool:
    return change.kind is ChangeKind.DELETED
