"""The data map against the code: no store without a row, no row without a store."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from pydantic_settings import BaseSettings

import services
from deploy.declarations import DECLARATIONS
from pellicule.type.v1 import purpose_pb2
from services.chassis.languages import OFFERED
from services.chassis.messaging.work import WorkStream
from services.retention.declarations.data_map_file import TRANSLATIONS, load_data_map
from services.retention.domain.data_map import DataMap

ROOT = Path(services.__path__[0])
SERVICES = tuple(DECLARATIONS)
CREATED = re.compile(
    r"^\s*CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)", re.IGNORECASE | re.MULTILINE
)
DROPPED = re.compile(r"^\s*DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?\"?(\w+)", re.IGNORECASE | re.MULTILINE)
SUBJECTS = re.compile(r"pellicule\.internal\.(\w+)\.v1\.>")
NAMED = re.compile(rf"\"((?:{'|'.join(SERVICES)})\.(?:table|bucket|stream|file|memory)\.\w+)\"")
FILE_FIELD = re.compile(r"(\w+_key)_file|(\w+)_dir")
PROGRAM_TABLES = frozenset({"schema_migrations"})  # dbmate's own


@pytest.fixture(scope="module")
def data_map() -> DataMap:
    return load_data_map()


def declared(data_map: DataMap, service: str, kind: str) -> set[str]:
    return {store.short_name for store in data_map.stores if (store.service, store.kind) == (service, kind)}


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_is_in_the_map_and_every_row_is_a_table(data_map: DataMap, service: str) -> None:
    migrations = (ROOT / "chassis" / "migrations", ROOT / service / "migrations")
    tables = {table for folder in migrations for table in created_tables(folder)} | PROGRAM_TABLES
    assert declared(data_map, service, "table") == tables


@pytest.mark.parametrize("service", SERVICES)
def test_every_bucket_is_in_the_map_and_every_row_is_a_bucket(data_map: DataMap, service: str) -> None:
    assert declared(data_map, service, "bucket") == set(DECLARATIONS[service].owns)


@pytest.mark.parametrize("service", SERVICES)
def test_every_stream_is_in_the_map_and_every_row_is_a_stream(data_map: DataMap, service: str) -> None:
    process = (ROOT / service / "__main__.py").read_text()
    streams = {name.upper() for name in SUBJECTS.findall(process)}
    works = {WorkStream.of(service).name} if "WorkStream.of(NAME)" in process else set()
    assert declared(data_map, service, "stream") == streams | works


@pytest.mark.parametrize("service", SERVICES)
def test_every_secret_file_is_in_the_map_and_every_row_is_a_file(data_map: DataMap, service: str) -> None:
    settings: type[BaseSettings] = import_module(f"services.{service}.settings").Settings
    matches = filter(None, map(FILE_FIELD.fullmatch, settings.model_fields))
    assert declared(data_map, service, "file") == {match[1] or match[2] for match in matches}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_that_holds_keys_in_memory_says_so(data_map: DataMap, service: str) -> None:
    holders = ("RetentionKeyring(", "open_epoch_keys(")
    holds = any(holder in source for source in sources(service) for holder in holders)
    assert declared(data_map, service, "memory") == ({"keys"} if holds else set())


@pytest.mark.parametrize("service", SERVICES)
def test_what_services_report_is_named_as_in_the_map(data_map: DataMap, service: str) -> None:
    named = {name for source in sources(service) for name in NAMED.findall(source)}
    assert named <= {store.name for store in data_map.stores}


def test_every_service_that_holds_keys_of_media_gets_orders(data_map: DataMap) -> None:
    holders = {service for service in SERVICES if any("RetentionKeyring(" in source for source in sources(service))}
    assert set(data_map.media_services) == holders


def test_the_purposes_of_the_map_are_those_that_can_be_granted(data_map: DataMap) -> None:
    known = {name.removeprefix("PURPOSE_") for name in purpose_pb2.Purpose.DESCRIPTOR.values_by_name} - {"UNSPECIFIED"}
    assert {purpose for store in data_map.stores for purpose in store.purposes} == known


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "retention"])
def test_a_purge_knows_every_store_of_what_is_personal(data_map: DataMap, service: str) -> None:
    code = "\n".join(file.read_text() for file in (ROOT / service).glob("*/purge*.py"))
    names = {store.rpartition(".")[2] for store in data_map.personal_stores(service)}
    assert {name for name in names if not re.search(rf"\b{name}\b", code)} == set()


def test_every_service_with_orders_has_stores_to_report_on(data_map: DataMap) -> None:
    for service in (*data_map.media_services, *data_map.personal_services):
        assert data_map.personal_stores(service)


def test_every_row_says_how_its_content_dies(data_map: DataMap) -> None:
    assert [store.name for store in data_map.stores if not (store.holds and store.dies_by)] == []


def test_every_sentence_stands_in_every_language(data_map: DataMap) -> None:
    same = {
        text[OFFERED[0]]
        for store in data_map.stores
        for text in (store.holds, store.dies_by)
        if len(set(text.values())) < len(OFFERED)
    }
    assert same == set(), "write them into services/retention/data_map_texts.yaml"


def test_no_translation_is_of_a_sentence_that_is_gone(data_map: DataMap) -> None:
    sentences = {text[OFFERED[0]] for store in data_map.stores for text in (store.holds, store.dies_by)}
    texts = yaml.safe_load(TRANSLATIONS.read_text(encoding="utf-8"))
    assert {sentence for language in texts.values() for sentence in language} <= sentences


def created_tables(folder: Path) -> set[str]:
    tables: set[str] = set()
    for migration in sorted(folder.glob("*.sql")):
        up = migration.read_text().split("-- migrate:down")[0]
        tables = (tables | set(CREATED.findall(up))) - set(DROPPED.findall(up))
    return tables


def sources(service: str) -> Iterator[str]:
    for file in (ROOT / service).rglob("*.py"):
        yield file.read_text()
