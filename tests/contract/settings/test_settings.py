"""Each service's settings build from the environment that a local stack gives it, and use all of it."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from deploy.local.authority import ensure_credentials
from deploy.local.home import StackHome
from deploy.local.parts.service import ServiceProcess
from deploy.local.plan import make_plan
from services.chassis.clock import SystemClock
from tests.contract.products import ROOT, service_names

_PREFIX = "PELLICULE_"
_NO_FILE = frozenset({"epoch_dir", "journal_dir", "transit_jwt_file", "watched_disk"})


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Mapping[str, str]]]:
    home = StackHome(tmp_path_factory.mktemp("stack") / "home")
    home.make()
    ensure_credentials(home, SystemClock())
    plan = make_plan(home, "seaweedfs")
    parts = (unit.part for unit in plan.units)
    yield {part.name: part.environment for part in parts if isinstance(part, ServiceProcess)}
    plan.ports.close()


def _settings(service: str) -> type[BaseSettings]:
    settings: type[BaseSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return settings


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    given = {name.removeprefix(_PREFIX): value for name, value in environment.items() if name.startswith(_PREFIX)}
    return {name.lower(): value for name, value in given.items()}


def _built(service: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> BaseSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return _settings(service)()


@pytest.mark.parametrize("service", service_names())
def test_settings_build_from_what_the_stack_gives(
    service: str, environments: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _built(service, environments[service], monkeypatch)

    assert set(_given(environments[service])) <= settings.model_fields_set


@pytest.mark.parametrize("service", service_names())
def test_the_stack_gives_nothing_that_no_setting_reads(
    service: str, environments: Mapping[str, Mapping[str, str]]
) -> None:
    assert set(_given(environments[service])) - set(_settings(service).model_fields) == set()


@pytest.mark.parametrize("service", service_names())
def test_every_file_that_the_stack_names_is_there(
    service: str, environments: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _built(service, environments[service], monkeypatch)
    files = {name: value for name, value in settings.model_dump().items() if isinstance(value, Path)}

    assert [name for name, file in files.items() if name not in _NO_FILE and not file.exists()] == []


@pytest.mark.parametrize("service", service_names())
def test_settings_are_frozen(
    service: str, environments: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _built(service, environments[service], monkeypatch)

    with pytest.raises(ValueError, match="frozen"):
        settings.public_address = "127.0.0.1:1"  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", service_names())
def test_no_secret_shows_when_settings_are_printed(
    service: str, environments: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _built(service, environments[service], monkeypatch)
    given = _given(environments[service])
    secrets = [value for name, value in given.items() if name.endswith(("_url", "secret_key"))]

    assert [secret for secret in secrets if secret in repr(settings)] == []


def _own(service: str) -> list[str]:
    return list(_settings(service).__annotations__)


def _source(service: str, module: str) -> str:
    return (ROOT / "services" / service / f"{module}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("service", service_names())
def test_every_setting_is_handed_on(service: str) -> None:
    handed_on = set(
        re.findall(r"\b(?:settings|self)\.(\w+)", _source(service, "__main__") + _source(service, "settings"))
    )

    assert set(_own(service)) - handed_on == set()


@pytest.mark.parametrize("service", service_names())
def test_every_setting_that_is_a_number_has_limits(service: str) -> None:
    fields = _settings(service).model_fields
    numbers = [name for name in _own(service) if fields[name].annotation in (int, float)]

    assert [name for name in numbers if not fields[name].metadata] == []


@pytest.mark.parametrize("service", service_names())
def test_every_setting_says_what_it_is(service: str) -> None:
    (settings,) = [node for node in ast.parse(_source(service, "settings")).body if isinstance(node, ast.ClassDef)]
    after = dict(zip(settings.body, settings.body[1:], strict=False))
    fields = [node for node in settings.body if isinstance(node, ast.AnnAssign)]

    assert [ast.unparse(field.target) for field in fields if not _is_text(after.get(field))] == []


def _is_text(node: ast.stmt | None) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
