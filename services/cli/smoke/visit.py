"""Visit of one person: consent, pictures, an idea, withdrawal, and no trace afterwards."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc

from pellicule.analysis.v1 import analysis_service_pb2
from pellicule.retention.v1 import account_pb2, erasure_pb2
from pellicule.suggestion.v1 import suggestion_pb2, suggestion_service_pb2
from services.chassis.clock import Clock
from services.cli.account import deletion, erasure
from services.cli.client import SHORT_CALL_SECONDS, Services
from services.cli.consent import decisions
from services.cli.ideas import listing as ideas
from services.cli.outages import through
from services.cli.output import CommandFailed, from_rpc, progress_bars
from services.cli.photos import import_folder, listing
from services.cli.smoke.steps import StepFailed, Steps

PURPOSE = "CLOUD_PROCESSING"
_POLL_SECONDS = 1.0
_CLOSED = frozenset({"PURPOSE_NOT_GRANTED", "RENDITION_NOT_FOUND", "SUGGESTION_NOT_FOUND"})

_REACH = "are its pods ready, and does its network policy let `helm test` in?"
_UPKEEP = "look at the logs of upkeep: it carries out what is ordered"


@dataclass(frozen=True)
class Visit:
    """What a person does, from the first word to the last.

    Attributes:
        services: By the addresses that phones have, as the person.
        person: What they declare of themselves.
        folder: With their pictures.
        leaves: Whether their account is deleted in the end; else only what they brought.
        patience: How long an idea may take.
        clock: Says how long it took.
        steps: Told what is done.
    """

    services: Services
    person: decisions.Person
    folder: Path
    leaves: bool
    patience: timedelta
    clock: Clock
    steps: Steps

    async def run(self) -> None:
        """Go the whole way, and leave nothing.

        Raises:
            StepFailed: a step did not do what it should.
        """
        with self.steps.step("consent answers, and the person is new", remedy=_REACH):
            await _refuse_known_person(self.services)
        try:
            await self._withdraw(await self._reach_an_idea())
        except StepFailed:
            with suppress(grpc.aio.AioRpcError, CommandFailed):  # what failed first is what is told
                await _leave(self.services, account=self.leaves)
            raise
        with self.steps.step("everything is erased", remedy=_UPKEEP):
            await _leave(self.services, account=self.leaves)

    async def _reach_an_idea(self) -> suggestion_pb2.Suggestion:
        with self.steps.step("the person grants", remedy="look at the logs of consent and retention; SMOKE_REGION?"):
            await decisions.decide(self.services, self.person, {PURPOSE: True})
        with self.steps.step("pictures are stored", remedy="look at the logs of ingest, and at the object store"):
            await _bring(self.services, self.folder)
        with self.steps.step("an idea is there", remedy="do the workers of analysis and suggestion run, and Triton?"):
            idea = await self._idea()
        with self.steps.step("its pictures open", remedy="look at the logs of suggestion"):
            await ideas.save_renditions(self.services, idea, 0, self.folder)
        return idea

    async def _withdraw(self, idea: suggestion_pb2.Suggestion) -> None:
        with self.steps.step("the person withdraws", remedy="look at the logs of consent and retention"):
            await decisions.withdraw(self.services, [PURPOSE])
        with self.steps.step(
            "nothing opens any more", remedy="a withdrawal closes everything: report it, with the logs"
        ):
            await _refuse_open(self.services, idea)

    async def _idea(self) -> suggestion_pb2.Suggestion:
        """Wait for an idea that is made without being asked for."""
        until = self.clock.now() + self.patience
        while self.clock.now() < until:
            if found := await through(self.services, self._ideas):
                return found[0]
            await self.clock.sleep(_POLL_SECONDS)
        raise await _no_idea(self.services, self.patience)

    async def _ideas(self) -> Sequence[suggestion_pb2.Suggestion]:
        return await ideas.suggestions(self.services, self.person.language)


async def _refuse_known_person(services: Services) -> None:
    """Refuse a token of somebody who has photos here: they would be erased."""
    if decisions.granted(await decisions.state(services)):
        raise CommandFailed("PERSON_KNOWN", "the token's person has given a consent here, and would lose all they have")


async def _bring(services: Services, folder: Path) -> None:
    with progress_bars() as bars:
        answers = await import_folder.run(
            services, folder, allowed=frozenset({PURPOSE}), wait=False, bars=bars, emit=lambda _: None
        )
    for answer in answers:
        if answer.outcome != "stored":
            raise CommandFailed(answer.reason, f"{answer.file} was {answer.outcome}: {answer.detail}")
    if not await through(services, lambda: listing.media(services)):
        raise CommandFailed("MEDIA_MISSING", "pictures were stored, and none is listed")


async def _no_idea(services: Services, patience: timedelta) -> CommandFailed:
    """Return the failure, with how far the pictures are."""
    request = analysis_service_pb2.GetProgressRequest()
    progress = await services.analysis.GetProgress(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return CommandFailed(
        "IDEA_MISSING",
        f"none after {patience.total_seconds():.0f} s; of the pictures {progress.done_count} are understood,"
        f" {progress.pending_count} wait, {progress.parked_count} are set aside",
    )


async def _refuse_open(services: Services, idea: suggestion_pb2.Suggestion) -> None:
    """Read what could be read a moment ago."""
    for rendition in idea.renditions:
        request = suggestion_service_pb2.ReadRenditionRequest(name=rendition.name)
        read = services.suggestion.ReadRendition(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
        try:
            async for _ in read:
                raise CommandFailed("STILL_OPEN", f"{rendition.name} can still be read")
        except grpc.aio.AioRpcError as error:
            if from_rpc(error).reason not in _CLOSED:
                raise


async def _leave(services: Services, *, account: bool) -> None:
    if account:
        gone = await deletion.request(services, timedelta())
        if gone.state != account_pb2.ACCOUNT_DELETION_STATE_COMPLETE:
            raise CommandFailed("NOT_DELETED", f"the account is {account_pb2.AccountDeletionState.Name(gone.state)}")
        return
    done = await erasure.erase(services)
    if done.state != erasure_pb2.ERASURE_STATE_PURGED:
        raise CommandFailed("NOT_PURGED", f"the erasure is {erasure_pb2.ErasureState.Name(done.state)}")
