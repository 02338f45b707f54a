"""Settings of the retention service."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from services.chassis.settings import ProcessSettings
from services.journal.settings import JournalSettings


class Settings(ProcessSettings, JournalSettings):
    """Read once from the environment, prefix `PELLICULE_`."""

    root_key_file: Path
    """32 random bytes in hex, mode 0600: with it and the epoch directory every key can be opened."""
    epoch_dir: Path
    """Where the epoch keys are; shared by all processes of this service, and part of no backup."""
    lost_epochs: Annotated[str, Field(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2},?)*$")] = ""
    """Epochs that an operator gives up, their days separated by commas: what they sealed is deleted."""
    longest_retention_days: Annotated[int, Field(ge=1, le=30)] = 30
    """The longest time that anything may be kept."""
