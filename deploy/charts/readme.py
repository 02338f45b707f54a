"""README of a chart: its table of values is written out of the `# --` comments in `values.yaml`."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from deploy.charts import CHARTS, charts

_TABLE = re.compile(r"(?<=<!-- values: written by deploy/generate-charts -->\n).*?(?=<!-- end of values -->)", re.S)
_HEAD = ("| Value | Default | What |", "|---|---|---|")
_MARK = re.compile(r"^\s*# -- (.+)$")


@dataclass(frozen=True)
class Value:
    """A value that can be set.

    Attributes:
        path: Where it stands, such as `server.replicas`.
        default: What it is unless it is set.
        description: What it is for; empty where no comment says.
    """

    path: str
    default: Any
    description: str


def described(text: str) -> Sequence[Value]:
    """Return every value that has a comment, and every leaf below none that has."""
    lines = text.splitlines()
    root = yaml.compose(text, yaml.SafeLoader)
    return [] if root is None else list(_within(root, "", lines))


def with_table(readme: str, values: str) -> str:
    """Return the README's text with the table that `values.yaml` gives."""
    rows = "".join(f"{row}\n" for row in (*_HEAD, *map(_row, described(values))))
    return _TABLE.sub(lambda _: rows, readme)


def readmes() -> Iterator[tuple[str, str, str]]:
    """Yield each chart, its README as it is, and as it should be."""
    for name in charts():
        readme = (CHARTS / name / "README.md").read_text(encoding="utf-8")
        values = (CHARTS / name / "values.yaml").read_text(encoding="utf-8")
        yield name, readme, with_table(readme, values)


def _within(node: yaml.Node, path: str, lines: Sequence[str]) -> Iterator[Value]:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        here = f"{path}.{key.value}".removeprefix(".")
        comment = _MARK.match(lines[key.start_mark.line - 1]) if key.start_mark.line else None
        if comment or not isinstance(value, yaml.MappingNode):
            yield Value(here, _plain(value), comment.group(1) if comment else "")
        else:
            yield from _within(value, here, lines)


def _plain(node: yaml.Node) -> Any:
    return yaml.SafeLoader("").construct_document(node)


def _row(value: Value) -> str:
    default = json.dumps(value.default, ensure_ascii=False)
    return f"| `{value.path}` | `{default}` | {value.description.replace('|', chr(92) + '|')} |"
