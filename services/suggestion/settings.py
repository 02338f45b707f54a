"""Settings of the suggestion service."""

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


class Settings(ServiceSettings, DatabaseSettings, BusSettings, ObjectStoreSettings, RetentionClientSettings):
    """What the process reads from its environment."""

    analysis_target: Address
    """`host:port` of analysis's internal listener."""
    renditions_bucket: str = "renditions"
    backstop_days: Annotated[int, Field(ge=1)] = 32
    """Days after which the object store removes a rendition by itself: two more than anything is kept."""
    quiet_seconds: Annotated[float, Field(ge=0)] = 3.0
    """How long no new photo must have been understood before ideas are made by themselves."""
    patience_seconds: Annotated[float, Field(ge=0)] = 60.0
    """How long photos may keep coming before ideas are made all the same."""
    idea_days: Annotated[int, Field(ge=1)] = 14
    """Days for which an idea is offered that its owner does nothing about."""

    @property
    def idea_life(self) -> timedelta:
        """How long an idea is offered."""
        return timedelta(days=self.idea_days)
