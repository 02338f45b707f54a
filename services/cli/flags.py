"""Help texts in which a flag has no type: `--wait`, not `--wait <bool>`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

_Parameter = TypeVar("_Parameter")


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:  # typer does not export the types
        return _untyped(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:  # typer does not export the types
        return _untyped(super().get_params(ctx))


def without_flag_types(app: typer.Typer) -> None:
    """Leave the type of flags out of the help of every command that is mounted."""
    app.info.cls = _Group
    for command in app.registered_commands:
        command.cls = _Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            without_flag_types(group.typer_instance)


def _untyped(parameters: Iterable[_Parameter]) -> list[_Parameter]:
    found = list(parameters)
    for each in found:
        if isinstance(each, TyperOption) and each.is_bool_flag:
            each.metavar = ""
    return found
