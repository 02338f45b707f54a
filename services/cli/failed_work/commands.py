"""Command `dead-letters`: events that could not be handled and items of loops that failed, listed, tried, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, TypeAlias

import typer

from services.chassis.failed_work.overview import FailedWork, FailedWorkTable
from services.cli.failed_work.databases import database_urls, opened
from services.cli.options import Json
from services.cli.output import CommandFailed, UsageWrong, confirmed, emit, failures, is_script, say, say_text

Database = Annotated[
    str,
    typer.Option(
        help="One service's database, as its own setting names it; by default all of the stack on this machine.",
        envvar="PELLICULE_DATABASE_URL",
    ),
]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="As listed: SERVICE/KIND/ID.")]
Act: TypeAlias = Callable[[FailedWorkTable, str, str], Coroutine[None, None, None]]


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    letters = typer.Typer(help="What services could not do: dead letters, and what is set aside.", no_args_is_help=True)
    letters.command("list")(list_letters)
    letters.command("show")(show)
    letters.command("retry")(retry)
    letters.command("delete")(delete)
    app.add_typer(letters, name="dead-letters")


def list_letters(database: Database = "", as_json: Json = False) -> None:
    """List what failed, in every service, the oldest first."""

    async def work() -> None:
        async for name, failed in _all(database):
            row = _row(name, failed)
            emit(row) if as_json else say("{name}: {reason}, tried {attempts} times since {first_time}".format(**row))

    with failures(as_json=as_json):
        asyncio.run(work())


def show(name: Names, database: Database = "", as_json: Json = False) -> None:
    """Show all that is known of what failed; what the event or the item holds is no one's business."""

    async def work() -> None:
        for each in name:
            row = _row(each, await _found(each, database))
            emit(row) if as_json else say_text(_as_text(row))

    with failures(as_json=as_json):
        asyncio.run(work())


def retry(name: Names, database: Database = "", as_json: Json = False) -> None:
    """Have the services try again, within seconds; what fails again stays, with its new reason."""
    _act(name, database, lambda table, kind, item: table.retry(kind, item), "retried", as_json=as_json)


def delete(
    name: Names,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script has to say so.")] = False,
    database: Database = "",
    as_json: Json = False,
) -> None:
    """Delete dead letters, whose events are then handled no more; what is set aside is tried at once instead."""
    with failures(as_json=as_json):
        if not yes and is_script(as_json=as_json):
            raise UsageWrong("NOT_CONFIRMED", "nothing was deleted: a script is not asked, it says --yes", "--yes")
        if not yes and not confirmed(f"Delete {', '.join(name)}?"):
            raise CommandFailed("NOT_CONFIRMED", "nothing was deleted", "--yes")
    _act(name, database, lambda table, kind, item: table.delete(kind, item), "deleted", as_json=as_json)


def _act(names: Sequence[str], database: str, act: Act, done: str, *, as_json: bool) -> None:
    async def work() -> None:
        for name in names:
            failed = await _found(name, database)
            service, _, _ = _parts(name)
            async with opened(_url(service, name, database)) as table:
                await act(table, failed.kind, failed.item)
            emit({"name": name, done: True}) if as_json else say(f"{name}: {done}")

    with failures(as_json=as_json):
        asyncio.run(work())


async def _all(database: str) -> AsyncIterator[tuple[str, FailedWork]]:
    for service, url in database_urls(database).items():
        async with opened(url) as table:
            for failed in await table.all():
                yield f"{service}/{failed.kind}/{failed.item}", failed


async def _found(name: str, database: str) -> FailedWork:
    service, kind, item = _parts(name)
    async with opened(_url(service, name, database)) as table:
        failed = await table.find(kind, item)
    if failed is None:
        raise _unknown(name)
    return failed


def _parts(name: str) -> tuple[str, str, str]:
    service, _, rest = name.partition("/")
    kind, _, item = rest.partition("/")
    if not item:
        raise UsageWrong("NAME_INVALID", "a name is SERVICE/KIND/ID, as `dead-letters list` has it", name)
    return service, kind, item


def _url(service: str, name: str, database: str) -> str:
    urls = database_urls(database)
    if service not in urls:
        raise _unknown(name)
    return urls[service]


def _unknown(name: str) -> CommandFailed:
    return CommandFailed(
        "DEAD_LETTER_UNKNOWN", "there is none of this name: it succeeded meanwhile, or never was", name
    )


def _as_text(row: dict[str, object]) -> str:
    return "\n".join(f"{key:<14} {value}" for key, value in row.items() if value is not None)


def _row(name: str, failed: FailedWork) -> dict[str, object]:
    values = {key: value for key, value in asdict(failed).items() if key not in ("kind", "item")}
    times = {key: value.isoformat() for key, value in values.items() if isinstance(value, datetime)}
    return {"name": name, **values, **times}
