"""Keys of epochs that are elsewhere: what is asked for is at hand once it was fetched."""

from collections.abc import Collection
from typing import cast

from services.retention.domain.keys import Derivation
from services.retention.errors import KeysAway, KeysUnavailable
from services.retention.ports import EpochKeys


class FarKeys:
    """What `keys_at_hand` needs of `ports.EpochKeys`."""

    place = "far away"

    def __init__(self) -> None:
        self.fetched: list[Derivation] = []
        self.is_away = False
        self.forgets = False

    def ask(self, wanted: Derivation) -> Derivation:
        if wanted not in self.fetched or self.forgets:
            raise KeysAway([wanted])
        return wanted

    async def fetch(self, wanted: Collection[Derivation]) -> None:
        if self.is_away:
            raise KeysUnavailable.because(self.place, "does not answer")
        self.fetched += wanted

    @property
    def keys(self) -> EpochKeys:
        return cast("EpochKeys", self)
