"""Ingest and retention as processes with the settings of every installation, and persons who call them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil

from deploy.local.parts.lifecycle import bring_up, running
from deploy.local.parts.nats import nats_server
from deploy.local.parts.postgres import postgres_server
from deploy.local.parts.seaweedfs import seaweedfs_server
from tests.integration.ingest.harness import Harness, Phone, Servers
from tests.load.neighbours.attacks import ATTACKS, Target
from tests.load.neighbours.trial import Outcome, Trial


@dataclass(frozen=True)
class Site:
    """The services, and their process."""

    harness: Harness
    process: psutil.Process
    public: grpc.aio.Channel
    consent: grpc.aio.Channel

    async def person(self) -> Phone:
        """Return a new person who has granted what uploads need."""
        phone = Phone(self.harness, self.public, self.consent)
        await phone.grant("CLOUD_PROCESSING")
        return phone

    async def attacked(self, kind: str, *, share: float = 1.0, rounds: int, seconds: float) -> Outcome:
        """Try an attack, at a share of its full size."""
        hostile, neighbour = await self.person(), await self.person()
        target = Target(
            kind=kind,
            address=self.harness.ports["ingest"].address,
            authority=str(self.harness.authority.issue("phone").ca),
            token=self.harness.token(hostile.person),
            size=max(1, round(ATTACKS[kind][1] * share)),
        )
        trial = Trial(neighbour, self.process, rounds=rounds, seconds=seconds)
        return await trial.run(target, self.harness.folder / "attack.log")


@asynccontextmanager
async def running_site(folder: Path) -> AsyncIterator[Site]:
    """Run everything for as long as the block lasts."""
    users = ["ingest", "retention", "suggestion", "analysis"]
    services = folder / "services"
    services.mkdir()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(seaweedfs_server(folder))
        postgres = await stack.enter_async_context(postgres_server(folder, ["ingest", "retention"]))
        nats = await stack.enter_async_context(nats_server(folder, users))
        harness = Harness(services, Servers(postgres, nats, store))
        stack.callback(harness.close)
        await stack.enter_async_context(running(harness.service("retention")))
        process = await bring_up(harness.service("ingest"))
        stack.push_async_callback(process.stop)
        public = await stack.enter_async_context(harness.public("ingest"))
        consent = await stack.enter_async_context(harness.internal("consent", "retention"))
        yield Site(harness, psutil.Process(process.pid), public, consent)
