"""The data map: every place where anything is kept, and how it dies. Declared as data in `data_map.yaml`."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

DECLARATION = Path(__file__).parent / "data_map.yaml"
KINDS = frozenset({"table", "bucket", "stream", "file", "memory"})
_PURGED_KINDS = frozenset({"table", "bucket"})


@dataclass(frozen=True)
class DataStore:
    """A place where something is kept.

    Attributes:
        service: Who owns it.
        kind: "table", "bucket", "stream", "file" or "memory".
        short_name: Its name among those of its service and kind.
        holds: What it holds.
        purposes: Names of the purposes it is kept for; empty for bookkeeping that tells nothing about a person.
        parent: Name of the store that it derives from; empty if none.
        dies_by: How its content dies.
    """

    service: str
    kind: str
    short_name: str
    holds: str
    purposes: tuple[str, ...]
    parent: str
    dies_by: str

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
        """Returns the names of the tables and buckets of a service that keep something about a person."""
        return tuple(store.name for store in self.stores if store.service == service and store.is_purged)


def load_data_map(declaration: Path = DECLARATION) -> DataMap:
    """Reads the declaration.

    Raises:
        ValueError: a store has an unknown kind or an unknown parent.
    """
    content = yaml.safe_load(declaration.read_text(encoding="utf-8"))
    shared = {
        f"{service}.{name}": entry
        for service in content["services"]
        for name, entry in content["every_service"].items()
    }
    stores = tuple(_store(name, entry) for name, entry in sorted({**shared, **content["stores"]}.items()))
    _check(stores)
    return DataMap(stores, tuple(content["media_services"]))


def _store(name: str, entry: dict[str, object]) -> DataStore:
    service, kind, short_name = name.split(".", 2)
    purposes = entry.get("purposes", [])
    if not isinstance(purposes, list):
        raise ValueError(f"{name}: purposes must be a list")
    return DataStore(
        service=service,
        kind=kind,
        short_name=short_name,
        holds=str(entry["holds"]),
        purposes=tuple(map(str, purposes)),
        parent=str(entry.get("parent", "")),
        dies_by=str(entry["dies_by"]),
    )


def _check(stores: Iterable[DataStore]) -> None:
    names = {store.name for store in stores}
    for store in stores:
        if store.kind not in KINDS:
            raise ValueError(f"{store.name}: kind must be one of {', '.join(sorted(KINDS))}")
        if store.parent and store.parent not in names:
            raise ValueError(f"{store.name}: parent {store.parent} is no store of the map")
