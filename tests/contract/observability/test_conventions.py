"""Names that are not ours are those of OpenTelemetry's conventions, and none that they have given up."""

import re
from collections.abc import Iterator
from pathlib import Path

from opentelemetry import semconv

from deploy.observability import schema
from tests.contract.products import ROOT

_ROOMS = (ROOT / "services" / "chassis" / "telemetry", ROOT / "inference" / "client")
_NAMED = re.compile(r'"((?:rpc|messaging|db|error|exception|process|cpu)\.[a-z_.]+)"')
_CONSTANT = re.compile(r'^[A-Z_]+: Final = "([^"]+)"\n"""\n(.*?)\n"""', re.M | re.S)


def conventions() -> Iterator[tuple[str, bool]]:
    """Yield every name that the conventions have, and whether it is given up."""
    for folder in ("_incubating/attributes", "_incubating/metrics", "attributes", "metrics"):
        for file in (Path(semconv.__path__[0]) / folder).glob("*.py"):
            for name, words in _CONSTANT.findall(file.read_text()):
                yield name, words.startswith("Deprecated")


def test_metrics_and_their_attributes() -> None:
    known = dict(conventions())
    foreign = [metric for name, metric in schema.metrics().items() if not name.startswith("pellicule.")]
    names = {name for metric in foreign for name in (metric.name, *metric.attributes)}
    assert {name: known.get(name, "unknown") for name in names} == dict.fromkeys(names, False)


def test_attributes_of_spans_and_lines() -> None:
    known = dict(conventions())
    texts = [path.read_text() for room in _ROOMS for path in room.rglob("*.py")]
    names = {name for text in texts for name in _NAMED.findall(text)}
    assert "messaging.destination.name" in names
    assert {name: known.get(name, "unknown") for name in names} == dict.fromkeys(names, False)


def test_our_own_names_are_under_one_roof() -> None:
    names = schema.metrics().keys()
    assert {name.split(".")[0] for name in names} == {"pellicule", "rpc", "messaging", "db", "process"}
    assert [name for name in names if not re.fullmatch(r"[a-z]+(?:[._][a-z]+)+", name)] == []
