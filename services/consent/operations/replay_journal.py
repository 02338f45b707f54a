"""Replay of the journal of destructions: books that were restored say again what holds."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from services.consent.operations import purge
from services.consent.operations.dependencies import Dependencies
from services.journal import Destruction, Entry
from services.keyring import PURPOSES, PurgeCause, PurgeOrder, PurgeScope, PurposeScope, SubjectScope

Known: TypeAlias = Callable[[str, Collection[str]], Awaitable[Mapping[str, str]]]
"""Returns the persons known here that tags of a salt stand for."""


async def replay(entries: Sequence[Entry], known: Known, dependencies: Dependencies) -> None:
    """End what the books call granted and has no key any more, and what was erased.

    Raises:
        DependencyUnavailable: the key service does not answer; nothing is lost by doing it again.
    """
    for entry in entries:
        if isinstance(entry, Destruction) and (entry.purpose_keys or entry.persons):
            await _replay(entry, known, dependencies)


async def _replay(told: Destruction, known: Known, dependencies: Dependencies) -> None:
    tags = {key.tag for key in told.purpose_keys} | {person.tag for person in told.persons}
    subjects = await known(told.salt, tags)
    for person in told.persons:
        if person.tag in subjects:
            scope = SubjectScope(person.revision, person.time, person.account)
            await _purge(subjects[person.tag], PurgeCause.ERASURE, scope, dependencies)
    highest = {each.tag: each.revision for each in sorted(told.purpose_keys, key=lambda each: each.revision)}
    for tag, revision in highest.items():
        if tag in subjects:
            for purpose in PURPOSES:
                await _purge(subjects[tag], PurgeCause.KEY_LOST, PurposeScope(purpose, revision), dependencies)


async def _purge(subject: str, cause: PurgeCause, scope: PurgeScope, dependencies: Dependencies) -> None:
    order = PurgeOrder("journal", subject, cause, scope, dependencies.clock.now())
    await purge.execute(order, dependencies)
