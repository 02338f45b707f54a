"""Readers of data keys: a service opens its own artefacts, and pictures of others where it works on them."""

from collections.abc import Mapping
from dataclasses import dataclass

_WORKS_ON: Mapping[str, frozenset[str]] = {"analysis": frozenset({"ingest"})}
"""Whose pictures a service looks at."""


@dataclass(frozen=True)
class Reader:
    """A service that asks for keys.

    Attributes:
        service: Its name, as in its certificate.
    """

    service: str

    @property
    def sources(self) -> frozenset[str]:
        """Services whose keys it may open besides its own, if they seal what derives from a media."""
        return _WORKS_ON.get(self.service, frozenset())

    def may_open(self, owner: str, *, derived: bool) -> bool:
        """Tell whether it may open a key, by the service that owns the key and by whether it derives from a media."""
        return owner == self.service or (derived and owner in self.sources)
