"""Commands about ideas: ideas, dismiss, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from services.cli.access import run_connected
from services.cli.client import Services
from services.cli.ideas import acting, listing
from services.cli.languages import language_of
from services.cli.options import ME, Json, Language, Subject
from services.cli.output import emit, failures, say
from services.cli.photos import listing as photos

Idea = Annotated[
    str, typer.Argument(metavar="IDEA", help="An idea, suggestions/..., as `pellicule ideas --json` names it.")
]


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("ideas")(ideas)
    app.command("dismiss")(dismiss)
    app.command("restore")(restore)


def ideas(
    save: Annotated[Path | None, typer.Option(help="Write the pictures of every idea into this folder.")] = None,
    subject: Subject = ME,
    language: Language = "",
    as_json: Json = False,
) -> None:
    """List the ideas, best first, and save their pictures."""

    async def work(services: Services) -> None:
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)
        files = await photos.file_names(services)
        suggestions = await listing.suggestions(services, spoken)
        for order, suggestion in enumerate(suggestions, 1):
            saved = await listing.save_renditions(services, suggestion, order, save) if save is not None else []
            row = listing.idea(suggestion, files, saved)
            emit(row) if as_json else say(_idea_line(row, saved))

    with failures(as_json=as_json):
        spoken = language_of(language)
        run_connected(work, subject)


def dismiss(idea: Idea, subject: Subject = ME, language: Language = "", as_json: Json = False) -> None:
    """Put an idea away; nothing like it is offered for a while."""
    _act(acting.dismiss, idea, subject, language, as_json=as_json)


def restore(idea: Idea, subject: Subject = ME, language: Language = "", as_json: Json = False) -> None:
    """Take the dismissal of an idea back."""
    _act(acting.restore, idea, subject, language, as_json=as_json)


def _act(act: acting.Act, idea: str, subject: str, language: str, *, as_json: bool) -> None:
    async def work(services: Services) -> None:
        row = listing.idea(await act(services, idea, spoken), await photos.file_names(services), [])
        emit(row) if as_json else say(f"{str(row['state']).lower()}: {_idea_line(row, [])}")

    with failures(as_json=as_json):
        spoken = language_of(language)
        run_connected(work, subject)


def _idea_line(row: dict[str, object], saved: list[str]) -> str:
    media = cast("list[str]", row["media"])
    where = f" -> {', '.join(saved)}" if saved else ""
    return f"{row['kind']:<10} {row['title']} ({len(media)} photos; {row['reason']}){where}"
