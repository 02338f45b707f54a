"""Commands about the journal of destructions: where each database stands, and what an operator gives up."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deploy.local import journal
from deploy.local.home import default_home
from services.cli.options import Json
from services.cli.output import CommandFailed, UsageWrong, confirmed, emit, failures, is_script, say
from services.cli.stack.failures import stack_failures


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    group = typer.Typer(no_args_is_help=True, help="The journal of destructions, which no restored database undoes.")
    group.command("status")(status)
    group.command("accept-loss")(accept_loss)
    app.add_typer(group, name="journal")


def status(as_json: Json = False) -> None:
    """Say how far each database has seen the journal."""
    with failures(as_json=as_json), stack_failures():
        newest, found = asyncio.run(journal.positions(default_home()))
        for each in found:
            row = {
                "service": each.service,
                "journal": each.position and each.position.journal,
                "position": each.position and each.position.number,
                "newest": newest,
                "state": each.state,
            }
            emit(row) if as_json else say(_line(each, newest))


def accept_loss(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the journal, as `journal status` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script must say it.")] = False,
    as_json: Json = False,
) -> None:
    """Open the services although a journal, or a part of it, is lost. What it alone told may be readable again."""
    with failures(as_json=as_json), stack_failures():
        if not yes:
            _confirm(name, as_json=as_json)
        number = asyncio.run(journal.accept_loss(default_home(), name))
        if as_json:
            emit({"journal": name, "accepted_to": number})
        else:
            say(f"journal {name}: the loss is accepted up to record {number}, and written down")


def _confirm(name: str, *, as_json: bool) -> None:
    if is_script(as_json=as_json):
        raise UsageWrong("NOT_CONFIRMED", "nothing was accepted: a script is not asked, it says --yes", "--yes")
    question = f"Give up journal {name}? What was erased or withdrawn may be readable again in a restored database."
    if not confirmed(question):
        raise CommandFailed("NOT_CONFIRMED", "nothing was accepted")


def _line(each: journal.ServicePosition, newest: int | None) -> str:
    if each.position is None:
        return f"{each.service:<12} has seen nothing of {-1 if newest is None else newest}"
    return f"{each.service:<12} journal {each.position.journal}  record {each.position.number}  {each.state}"
