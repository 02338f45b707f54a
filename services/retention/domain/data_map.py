"""Data map: every place where anything is kept, and how it dies."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

KINDS = frozenset({"table", "bucket", "stream", "file", "memory"})
_PURGED_KINDS = frozenset({"table", "bucket"})


@dataclass(frozen=True)
class DataStore:
    """A place where something is kept.

    Attributes:
        service: Who owns it.
        kind: "table", "bucket", "stream", "file" or "memory".
        short_name: Its name among those of its service and kind.
        holds: What it holds, by language.
        purposes: Names of the purposes it is kept for; empty for bookkeeping that tells nothing about a person.
        parent: Name of the store that it derives from; empty if none.
        dies_by: How its content dies, by language.
    """

    service: str
    kind: str
    short_name: str
    holds: Mapping[str, str]
    purposes: tuple[str, ...]
    parent: str
    dies_by: Mapping[str, str]

    @property
    def name(self) -> str:
        """Service, kind and name, such as "ingest.table.media"."""
        return f"{self.service}.{self.kind}.{self.short_name}"

    @property
    def is_purged(self) -> bool:
        """Whether an erasure deletes rows or objects in it."""
        return bool(self.purposes) and self.kind in _PURGED_KINDS


@dataclass(frozen=True)
class DataMap:
    """All stores.

    Attributes:
        stores: In the order of their names.
        media_services: Who gets an order whenever keys of media, or of what derives from them, are destroyed.
    """

    stores: tuple[DataStore, ...]
    media_services: tuple[str, ...]

    @cached_property
    def personal_services(self) -> tuple[str, ...]:
        """Services that keep something about a person, and so get an order when everything of one is erased."""
        return tuple(sorted({store.service for store in self.stores if store.is_purged}))

    def personal_stores(self, service: str) -> tuple[str, ...]:
        """Return the names of the tables and buckets of a service that keep something about a person."""
        return tuple(store.name for store in self.stores if store.service == service and store.is_purged)
