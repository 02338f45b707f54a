"""Commands about a person's photos: import, findings, search, mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from services.cli.access import run_connected
from services.cli.client import Services
from services.cli.consent import decisions, purposes, regions
from services.cli.languages import language_of
from services.cli.options import ME, REGION, Adult, Json, Language, Region, Subject
from services.cli.output import (
    OutOfReach,
    UsageWrong,
    emit,
    failures,
    is_script,
    note,
    progress_bars,
    say,
)
from services.cli.photos import import_folder, listing, marks
from services.cli.photos.upload_file import FileResult


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("import")(import_photos)
    app.command("findings")(findings)
    app.command("search")(search)
    app.command("mark")(mark)


def import_photos(
    folder: Annotated[Path, typer.Argument(help="The folder, with all folders in it.")],
    grant: Annotated[str, typer.Option(help="Purposes to allow, such as CLOUD_PROCESSING,LOCATION.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when everything is understood and ideas are made.")
    ] = False,
    subject: Subject = ME,
    region: Region = REGION,
    adult: Adult = True,
    language: Language = "",
    as_json: Json = False,
) -> None:
    """Bring a folder of photos in. Without a grant the notice is shown and you are asked; nothing is assumed.

    Ends with 0 when every file was answered: stored, known, skipped or refused, each with its reason. An outage is
    waited for; when it lasts, it ends with 3, and the files that have no answer are named as unanswered: run it again,
    and what is kept is not sent twice.
    """
    with failures(as_json=as_json):
        if not folder.is_dir():
            raise UsageWrong("FOLDER_MISSING", f"{folder} is no folder; name one that holds photos", "folder")
        wanted = purposes.parse(grant, field="--grant") if grant else ()
        person = decisions.Person(regions.parse(region), adult, language_of(language))

        async def work(services: Services) -> None:
            allowed = await decisions.ensure(services, person, wanted, interactive=not is_script(as_json=as_json))
            with progress_bars() as bars:
                answers = await import_folder.run(
                    services, folder, allowed=allowed, wait=wait, bars=bars, emit=_answer_printer(as_json=as_json)
                )
            sum_up(answers, as_json=as_json)

        run_connected(work, subject)


def findings(subject: Subject = ME, language: Language = "", as_json: Json = False) -> None:
    """Say what was understood of each photo: kind, tags, faces, quality, near-duplicates, text, sensitivity."""

    async def work(services: Services) -> None:
        allowed = decisions.granted(await decisions.state(services))
        async for row in listing.findings(services, allowed, spoken):
            emit(row) if as_json else say(_finding_line(row))

    with failures(as_json=as_json):
        spoken = language_of(language)
        run_connected(work, subject)


def search(
    words: Annotated[list[str], typer.Argument(help="What to look for, such as: a dog on the beach.")],
    limit: Annotated[int, typer.Option(help="At most this many photos.", min=1, max=1000)] = 20,
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Find photos by what they show, said in English, or by what is written in them."""

    async def work(services: Services) -> None:
        found = 0
        async for row in listing.matches(services, " ".join(words), limit):
            emit(row) if as_json else say(_match_line(row))
            found += 1
        if not found:
            note("no photo fits; try fewer or other words")

    with failures(as_json=as_json):
        run_connected(work, subject)


def mark(
    file: Annotated[str, typer.Argument(help="A photo, by its name as imported.")],
    favorite: Annotated[
        bool | None, typer.Option("--favorite/--no-favorite", help="Whether you like it.", show_default=False)
    ] = None,
    hidden: Annotated[
        bool | None, typer.Option("--hidden/--shown", help="Whether no idea may use it.", show_default=False)
    ] = None,
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Mark a photo as a favourite, or hide it: what is hidden is kept, and no idea uses it."""

    async def work(services: Services) -> None:
        for media in await listing.named(services, file):
            row = await marks.mark(services, media, favorite=favorite, hidden=hidden)
            emit(row) if as_json else say(", ".join(f"{name}: {value}" for name, value in row.items()))

    with failures(as_json=as_json):
        if favorite is None and hidden is None:
            raise UsageWrong("MARK_MISSING", "say what to change: --favorite, --no-favorite, --hidden or --shown")
        run_connected(work, subject)


def _answer_printer(*, as_json: bool) -> Callable[[FileResult], None]:
    def show(answer: FileResult) -> None:
        if as_json:
            emit(answer.row)
        elif answer.outcome in ("refused", "skipped", "unanswered"):
            say(f"{answer.outcome:10} {answer.file}: {answer.reason}{': ' + answer.detail if answer.detail else ''}")

    return show


def sum_up(answers: Sequence[FileResult], *, as_json: bool) -> None:
    """Say how many files came to what end; fail if some had no answer."""
    counts = Counter(answer.outcome for answer in answers)
    if not as_json:
        say(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "the folder is empty")
    if counts["refused"]:
        note(
            f"{counts['refused']} refused: they are named above with their reasons, and stay in the folder as they are"
        )
    unanswered = [answer for answer in answers if not answer.answered]
    if unanswered:
        first = unanswered[0]
        raise OutOfReach(
            "IMPORT_INCOMPLETE",
            f"{len(unanswered)} of {len(answers)} files have no answer ({first.reason}: {first.detail});"
            " run the command again: what is kept is not sent twice",
            first.file,
        )


def _finding_line(row: dict[str, object]) -> str:
    if "kind" not in row:
        return f"{row['file']}: {row['state']} {row.get('parked_reason', '')} {row.get('parked_detail', '')}".rstrip()
    tags, labels = cast("list[tuple[str, float]]", row["tags"]), cast("list[str]", row["labels"])
    names = ", ".join(
        f"{label or name} {score:.2f}" for (name, score), label in list(zip(tags, labels, strict=True))[:3]
    )
    faces = cast("list[object]", row["faces"])
    lines = cast("list[dict[str, object]]", row["text"])
    text = f", {len(lines)} lines of text beginning {str(lines[0]['text'])!r}" if lines else ""
    unsafe = f", sensitive {row['sensitive']}" if row.get("sensitivity", "safe") != "safe" else ""
    return (
        f"{row['file']}: {_when(row)}, {row['kind']}, {len(faces)} faces, sharpness {row['sharpness']},"
        f" exposure {row['exposure']}{', ' + names if names else ''}{text}{unsafe}"
    )


def _match_line(row: dict[str, object]) -> str:
    lines = cast("list[str]", row["lines"])
    return f"{row['score']:.2f}  {row['file']}: {_when(row)}{', says ' + repr(lines[0]) if lines else ''}"


def _when(row: dict[str, object]) -> str:
    return str(row["taken_at"] or "time not known")
