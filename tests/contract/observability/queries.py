"""Queries in PromQL, as far as names go: which series each asks for, and by what it tells them apart."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deploy.observability.schema import TRITON, labels, metrics, series

_TEXT = re.compile(r'"[^"]*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}")
_NAME = re.compile(r"(?<![\w.:])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_LABEL = re.compile(r"\b([a-z_]\w*)\s*(?:=~|!~|!=|=)")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})
RECORDED = re.compile(r"pellicule:[\w:]+")
_OF_RECORDED = frozenset({"job", "instance", "rpc_method", "model", "objective"})


@dataclass(frozen=True)
class Query:
    """What a query names.

    Attributes:
        series: What it asks for.
        grouped: Labels that it groups by.
        matched: Labels that it chooses by, with the series of each.
    """

    series: frozenset[str]
    grouped: frozenset[str]
    matched: frozenset[tuple[str, str]]


def read(expression: str) -> Query:
    plain = _RANGE.sub("", _TEXT.sub('""', expression))
    grouped = {label.strip() for inner in _GROUPING.findall(plain) for label in inner.split(",") if label.strip()}
    matched = {(name, label) for name, inner in _SELECTOR.findall(plain) for label in _LABEL.findall(inner)}
    bare = re.sub(r"\{[^}]*\}", "", _GROUPING.sub("", plain))
    names = {name for name in _NAME.findall(bare) if name not in _WORDS and not re.fullmatch(r"\d.*", name)}
    return Query(frozenset(names), frozenset(grouped), frozenset(matched))


def declared() -> Mapping[str, frozenset[str]]:
    """Return the series that the schema has, and what each is told apart by."""
    own = {name: labels(metric) for metric in metrics().values() for name in series(metric)}
    return {**own, **dict.fromkeys(TRITON, frozenset({"job", "instance", "model"}))}


def strangers(expression: str, recorded: frozenset[str]) -> Iterator[str]:
    """Yield what a query names and nothing declares."""
    known, query = declared(), read(expression)
    yield from (name for name in query.series if name not in known and name not in recorded)
    told_apart = frozenset().union(*(known.get(name, _OF_RECORDED) for name in query.series))
    yield from (f"by ({label})" for label in query.grouped if label not in told_apart)
    yield from (
        f"{name}{{{label}}}" for name, label in query.matched if label not in known.get(name, _OF_RECORDED)
    )  # fmt: skip
