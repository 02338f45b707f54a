"""Change feed of a person's analyses: names of what changed, and what it is now."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from services.analysis.domain.findings import Analysis
from services.analysis.domain.media import analyzed_media
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.open_findings import open_findings
from services.chassis.changes.feed import Change, ChangeFeed, ChangeKind, Checkpoint, Event, Reset
from services.chassis.changes.watch import watch
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
    followed = batches(feed.follow(subject, cursor, device=device), _TOGETHER)
    opener = _AnalysisOpener(subject, dependencies, feed)
    async with aclosing(watch(followed, opener, until_checkpoint=until_checkpoint)) as told:
        async for each in told:
            yield each


@dataclass(frozen=True)
class _AnalysisOpener:
    subject: str
    dependencies: Dependencies
    feed: ChangeFeed
    refusal: ClassVar = PurposeNotGranted

    def revoked(self) -> AbstractContextManager[Event]:
        return self.dependencies.keyring.revocations(self.subject)

    async def open(self, changes: Sequence[Change]) -> dict[str, AnalysisChange]:
        await self.dependencies.keyring.open(subject=self.subject, purpose=Purpose.CLOUD_PROCESSING, ids=[])
        named = {analyzed_media(change.resource): change for change in changes}
        opened = await open_findings(self.subject, self.dependencies, list(named)) if named else []
        return {
            change.resource: AnalysisChange(change.resource, change.kind, analysis, change.cursor)
            for analysis in opened
            for change in [named[analysis.media]]
        }

    def gone(self, change: Change) -> AnalysisChange:
        return AnalysisChange(change.resource, change.kind, None, change.cursor)

    async def is_left(self) -> bool:
        return not await self.feed.is_empty(self.subject)
