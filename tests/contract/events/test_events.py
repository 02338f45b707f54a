"""What services tell each other: told by its owner, heard by another, and named in the READMEs of both."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType

import pytest

from deploy.declarations import DECLARATIONS
from services.chassis.messaging.bus import EventStream
from tests.contract.products import ROOT, service_names

_EVENT = re.compile(r"^// Event: .*\n(?://.*\n)*message (\w+)", re.MULTILINE)


def _events() -> Mapping[str, str]:
    """Return the service that tells each event: the messages whose comment begins with "Event"."""
    files = sorted((ROOT / "proto" / "pellicule" / "internal").glob("*/v1/*.proto"))
    return {event: file.parts[-3] for file in files for event in _EVENT.findall(file.read_text(encoding="utf-8"))}


@cache
def _code(package: str) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "services" / package).rglob("*.py"))


def _hearers(event: str) -> list[str]:
    return [each for each in (*service_names(), "keyring") if f".{event}.FromString(" in _code(each)]


EVENTS = sorted(_events().items())


def test_there_are_events() -> None:
    assert "MediaStored" in _events()


@pytest.mark.parametrize(("event", "service"), EVENTS)
def test_an_event_is_told_by_the_service_whose_it_is(event: str, service: str) -> None:
    assert f".{event}(" in _code(service)


@pytest.mark.parametrize(("event", "service"), EVENTS)
def test_an_event_is_heard_on_the_stream_of_its_service(event: str, service: str) -> None:
    hearers = _hearers(event)

    assert hearers
    for hearer in hearers:
        assert f".{event}.DESCRIPTOR.full_name" in _code(hearer)
        assert f'"{service.upper()}"' in _code(hearer)


@pytest.mark.parametrize(("event", "service"), EVENTS)
def test_the_readmes_of_who_tells_and_who_hears_name_an_event(event: str, service: str) -> None:
    readmes = {each: ROOT / "services" / each / "README.md" for each in (service, *_hearers(event))}

    assert [each for each, file in readmes.items() if event not in file.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("service", service_names())
def test_an_event_is_kept_for_everyone_who_hears_it_and_does_not_look_by_itself(service: str) -> None:
    stream = importlib.import_module(f"services.{service}.__main__").STREAM

    assert isinstance(stream, EventStream)
    assert sorted(stream.consumers) == sorted(name for on, name in _consumers(*service_names()) if on == stream.name)


@pytest.mark.parametrize("service", service_names())
def test_the_bus_lets_a_service_have_the_consumers_that_it_makes(service: str) -> None:
    made = [f"{stream}.{name}" for stream, name in _consumers(service)]
    purges = [f"RETENTION.{service}-purge"] if "PurgeLoop(" in _code(service) else []

    assert sorted(DECLARATIONS[service].hears) == sorted([*purges, *made])


def _consumers(*services: str) -> Iterator[tuple[str, str]]:
    """Yield stream and durable name of each consumer; purge orders are looked for, whatever is heard of them."""
    for service in services:
        worker = importlib.import_module(f"services.{service}.worker")
        for call in ast.walk(ast.parse((ROOT / "services" / service / "worker.py").read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Consumer":
                given = {each.arg: _value(each.value, worker) for each in call.keywords if each.arg in _NAMED}
                yield given["stream"], given["durable"]


_NAMED = ("stream", "durable")


def _value(node: ast.expr, module: ModuleType) -> str:
    return str(getattr(module, node.id) if isinstance(node, ast.Name) else ast.literal_eval(node))
