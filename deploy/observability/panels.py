"""Panels: Grafana's dashboards out of titles and queries, with the data source left to the reader."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS: Final = 3
_WIDTH: Final = 24 // _COLUMNS
_HEIGHT: Final = 8


@dataclass(frozen=True)
class Panel:
    """A picture of some series.

    Attributes:
        title: What it shows, as a sentence without a full stop.
        unit: Grafana's name of the unit.
        queries: PromQL, each by what its lines are called.
        description: What to think of it; may be empty.
    """

    title: str
    unit: str
    queries: Mapping[str, str]
    description: str = ""


@dataclass(frozen=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    """A page of rows.

    Attributes:
        uid: Its id in Grafana, and the name of its file.
        title: Its title.
        rows: From the top.
    """

    uid: str
    title: str
    rows: Sequence[Row]


def model(dashboard: Dashboard) -> Json:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["pellicule"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source_variable()]},
        "panels": list(_panels(dashboard.rows)),
    }


def _source_variable() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}


def _panels(rows: Sequence[Row]) -> Iterator[Json]:
    id_, top = 0, 0
    for row in rows:
        id_ += 1
        yield {"id": id_, "type": "row", "title": row.title, "collapsed": False, "panels": [], **_at(0, top, 24, 1)}
        top += 1
        for index, panel in enumerate(row.panels):
            id_ += 1
            line, column = divmod(index, _COLUMNS)
            yield _panel(panel, id_, _at(column * _WIDTH, top + line * _HEIGHT, _WIDTH, _HEIGHT))
        top += -(-len(row.panels) // _COLUMNS) * _HEIGHT


def _at(left: int, top: int, width: int, height: int) -> Json:
    return {"gridPos": {"x": left, "y": top, "w": width, "h": height}}


def _panel(panel: Panel, id_: int, place: Json) -> Json:
    return {
        "id": id_,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        **place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": {"fillOpacity": 8}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }
