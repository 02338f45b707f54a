"""Policy of a deployment: when suggestions are made, and how long they are offered."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Policy:
    """Times that an operator chooses.

    Attributes:
        quiet: How long no new photo must have been analyzed before suggestions are made.
        patience: How long photos may keep coming before suggestions are made all the same.
        offer_life: How long a suggestion is offered that its owner decides nothing about.
        backstop: The age at which the bucket of renditions itself deletes an object.
    """

    quiet: timedelta
    patience: timedelta
    offer_life: timedelta
    backstop: timedelta
