"""Settings of the suggestion service."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from services.chassis.settings import (
    Address,
    ObjectStoreSettings,
    RetentionClientSettings,
    WorkingProcessSettings,
)
from services.journal.settings import JournalSettings
from services.suggestion.domain.policy import Policy


class Settings(WorkingProcessSettings, ObjectStoreSettings, RetentionClientSettings, JournalSettings):
    """What the process reads from its environment."""

    analysis_target: Address
    """`host:port` of analysis's internal listener."""
    renditions_bucket: str = "renditions"
    """Where the pictures of suggestions are kept."""
    backstop_days: Annotated[int, Field(ge=1)] = 32
    """Days after which the object store removes a rendition by itself: two more than anything is kept."""
    quiet_seconds: Annotated[float, Field(ge=0)] = 3.0
    """How long no new photo must have been analyzed before suggestions are made."""
    patience_seconds: Annotated[float, Field(ge=0)] = 60.0
    """How long photos may keep coming before suggestions are made all the same."""
    suggestion_days: Annotated[int, Field(ge=1)] = 14
    """Days for which a suggestion is offered that its owner decides nothing about."""

    @property
    def policy(self) -> Policy:
        """When suggestions are made, and how long they are offered."""
        return Policy(
            quiet=timedelta(seconds=self.quiet_seconds),
            patience=timedelta(seconds=self.patience_seconds),
            offer_life=timedelta(days=self.suggestion_days),
            backstop=timedelta(days=self.backstop_days),
        )
