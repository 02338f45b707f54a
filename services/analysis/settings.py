"""Settings of the analysis service."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from services.chassis.settings import (
    Address,
    BusSettings,
    DatabaseSettings,
    ObjectStoreSettings,
    RetentionClientSettings,
    ServiceSettings,
)


@dataclass(frozen=True)
class Pace:
    """How much is worked on at a time, and how often is looked for more.

    Attributes:
        batch: Media that are claimed, given keys and stored together.
        in_hand: Media at work at a time; each is in memory as a picture of at most 2048 pixels on its long side.
        renewals: How many of them may be media that have findings by other models already.
        lease: How long a claim holds; a process that died is found out after this.
        storing: What of this is kept for storing the results; the models have to answer before.
        poll: How often is looked for what is due when nothing wakes the worker.
        sweep: How often is looked for what was missed.
        settle: How long a media waits before it is looked at: a phone sends several at a time, and they are understood
            together, once they no longer want the processor for themselves.
    """

    batch: int = 4
    in_hand: int = 20
    renewals: int = 4
    lease: timedelta = timedelta(minutes=1)
    storing: timedelta = timedelta(seconds=10)
    poll: timedelta = timedelta(seconds=1)
    sweep: timedelta = timedelta(minutes=10)
    settle: timedelta = timedelta()


class Settings(ServiceSettings, DatabaseSettings, BusSettings, ObjectStoreSettings, RetentionClientSettings):
    """What the process reads from its environment."""

    triton_address: Address
    """`host:port` of the inference server's gRPC endpoint."""
    media_bucket: str = "media"
    previews_bucket: str = "previews"
    backstop_days: Annotated[int, Field(ge=1)] = 32
    """Days after which the object store removes a preview by itself: two more than anything is kept."""
    max_pixels: Annotated[int, Field(ge=1)] = 100_000_000
    """Largest picture that is decoded, width times height."""
    decoder_threads: Annotated[int, Field(ge=1, le=64)] = 2
    """Pictures decoded or measured at a time."""
    batch: Annotated[int, Field(ge=1, le=64)] = 4
    """Media that are claimed, given keys and stored together."""
    in_hand: Annotated[int, Field(ge=1, le=256)] = 20
    """Media at work at a time."""
    renewals: Annotated[int, Field(ge=1, le=256)] = 4
    """How many of them may be media that have findings by other models already."""
    sweep_seconds: Annotated[float, Field(gt=0)] = 600.0
    """How often is looked for what was missed."""

    settle_seconds: Annotated[float, Field(ge=0)] = 1.0
    """How long a media waits before it is looked at, so that those of one burst are understood together."""

    @property
    def pace(self) -> Pace:
        """How much is worked on at a time."""
        return Pace(
            batch=self.batch,
            in_hand=max(self.in_hand, self.batch),
            renewals=self.renewals,
            sweep=timedelta(seconds=self.sweep_seconds),
            settle=timedelta(seconds=self.settle_seconds),
        )
