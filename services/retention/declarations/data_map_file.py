"""Reader of the data map, which is declared in `data_map.yaml`."""

from collections.abc import Iterable
from pathlib import Path

import yaml

from services.retention.domain.data_map import KINDS, DataMap, DataStore

DECLARATION = Path(__file__).parent.parent / "data_map.yaml"


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
