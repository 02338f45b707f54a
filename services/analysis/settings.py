"""Settings of the analysis service."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from inference.client.tls import is_loopback
from services.analysis.domain.pace import Pace
from services.chassis.settings import (
    Address,
    ObjectStoreSettings,
    RetentionClientSettings,
    WorkingProcessSettings,
)
from services.journal.settings import JournalSettings

FINISH = timedelta(seconds=3)
"""Longer than most media take, and short enough for those who stop the process."""


class Settings(WorkingProcessSettings, ObjectStoreSettings, RetentionClientSettings, JournalSettings):
    """What the process reads from its environment."""

    triton_address: Address
    """`host:port` of the inference server's gRPC endpoint."""
    triton_ca_file: Path | None = None
    """Certificates that the inference server is checked against; on loopback alone there may be none."""
    media_bucket: str = "media"
    """Where the ingest service keeps originals; only read."""
    previews_bucket: str = "previews"
    """Where previews are kept."""
    backstop_days: Annotated[int, Field(ge=1)] = 32
    """Days after which the object store removes a preview without being asked: two more than anything is kept."""
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

    burst_seconds: Annotated[float, Field(ge=0)] = 1.0
    """How long a media waits before it is analysed, so that those of one burst are analysed together."""

    @model_validator(mode="after")
    def pictures_under_tls(self) -> Self:
        """Refuse to send pictures to another machine in clear."""
        if self.triton_ca_file is None and not is_loopback(self.triton_address):
            raise ValueError("set PELLICULE_TRITON_CA_FILE: pictures travel in clear on loopback alone")
        return self

    @property
    def pace(self) -> Pace:
        """How much is worked on at a time."""
        return Pace(
            batch=self.batch,
            in_hand=max(self.in_hand, self.batch),
            renewals=self.renewals,
            sweep=timedelta(seconds=self.sweep_seconds),
            finish=FINISH,
            burst=timedelta(seconds=self.burst_seconds),
        )
