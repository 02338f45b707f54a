"""Golden renders: what each environment renders to, in one file for each chart, so that a change of it is seen."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.charts import ROOT, charts
from deploy.charts.environments import environments, values
from deploy.charts.rendering import Chart, Object

GOLDEN = ROOT / "tests" / "contract" / "charts" / "golden"
_LINE = 320
_PLAIN = re.compile(r"^[A-Za-z_/][\w./-]*$")
_MEANT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def golden_files() -> Iterator[tuple[Path, str]]:
    """Yield each file, and what it should say."""
    for name in charts():
        chart = Chart.load(name)
        for environment in environments():
            objects = chart.objects(values(environment, name))
            yield GOLDEN / environment / f"{name}.yaml", written(objects)


def written(objects: Sequence[Object]) -> str:
    """Return objects in the order of their kinds and names, as YAML with as much on a line as it takes."""
    ordered = sorted(objects, key=lambda each: each.identity)
    return "".join(f"---\n{_block(each.document, '')}" for each in ordered)


def _block(value: object, indent: str) -> str:
    if isinstance(value, dict):
        return "".join(f"{indent}{key}:{_below(item, indent)}" for key, item in value.items())
    if isinstance(value, list):
        return "".join(f"{indent}-{_beside(item, indent)}" for item in value)
    return f"{indent}{_flow(value)}\n"


def _below(value: object, indent: str) -> str:
    """Return what follows a key: on its line if that has room, else below it."""
    return f" {_flow(value)}\n" if _fits(value, indent) else f"\n{_block(value, indent + '  ')}"


def _beside(value: object, indent: str) -> str:
    """Return what follows a dash: on its line, and below if that has no room."""
    return f" {_flow(value)}\n" if _fits(value, indent) else f" {_block(value, indent + '  ').lstrip()}"


def _fits(value: object, indent: str) -> bool:
    return not isinstance(value, dict | list) or len(indent) + len(_flow(value)) <= _LINE


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    plain = isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _MEANT
    return str(value) if plain else json.dumps(value, ensure_ascii=False)
