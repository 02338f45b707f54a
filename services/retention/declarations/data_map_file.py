"""Reader of the data map: what is declared in `data_map.yaml`, with its sentences in every language."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import yaml

from services.chassis.languages import OFFERED
from services.retention.domain.data_map import KINDS, DataMap, DataStore

DECLARATION = Path(__file__).parent.parent / "data_map.yaml"
TRANSLATIONS = Path(__file__).parent.parent / "data_map_texts.yaml"
Texts: TypeAlias = Mapping[str, Mapping[str, str]]
"""Translations by language, and there by English sentence."""


def load_data_map(declaration: Path = DECLARATION, translations: Path = TRANSLATIONS) -> DataMap:
    """Return the data map in its files.

    Args:
        declaration: What stores there are, in English.
        translations: The same sentences in the other languages.

    Raises:
        ValueError: a store has an unknown kind or an unknown parent.
    """
    content = yaml.safe_load(declaration.read_text(encoding="utf-8"))
    texts = yaml.safe_load(translations.read_text(encoding="utf-8"))
    shared = {
        f"{service}.{name}": entry
        for service in content["services"]
        for name, entry in content["every_service"].items()
    }
    stores = tuple(_store(name, entry, texts) for name, entry in sorted({**shared, **content["stores"]}.items()))
    _check(stores)
    return DataMap(stores, tuple(content["media_services"]))


def _store(name: str, entry: dict[str, object], texts: Texts) -> DataStore:
    service, kind, short_name = name.split(".", 2)
    purposes = entry.get("purposes", [])
    if not isinstance(purposes, list):
        raise ValueError(f"{name}: purposes must be a list")
    return DataStore(
        service=service,
        kind=kind,
        short_name=short_name,
        holds=_by_language(str(entry["holds"]), texts),
        purposes=tuple(map(str, purposes)),
        parent=str(entry.get("parent", "")),
        dies_by=_by_language(str(entry["dies_by"]), texts),
    )


def _by_language(sentence: str, texts: Texts) -> Mapping[str, str]:
    """Return a sentence in every language; one that is not translated stays as it is."""
    original, *others = OFFERED
    return {original: sentence} | {language: texts[language].get(sentence, sentence) for language in others}


def _check(stores: Iterable[DataStore]) -> None:
    names = {store.name for store in stores}
    for store in stores:
        if store.kind not in KINDS:
            raise ValueError(f"{store.name}: kind must be one of {', '.join(sorted(KINDS))}")
        if store.parent and store.parent not in names:
            raise ValueError(f"{store.name}: parent {store.parent} is no store of the map")
