"""The commands about a person's photos: import, findings, search, ideas, erase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, cast

import typer

from pellicule.retention.v1 import erasure_pb2
from services.cli.access import run_connected
from services.cli.client import Services
from services.cli.consent import decisions, purposes, regions
from services.cli.options import ME, REGION, Adult, Json, Language, Region, Subject
from services.cli.output import (
    CommandFailed,
    UsageWrong,
    confirmed,
    emit,
    failures,
    is_script,
    note,
    progress_bars,
    say,
)
from services.cli.photos import erasure, import_folder, listing
from services.cli.photos.upload_file import FileResult


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("import")(import_photos)
    app.command("findings")(findings)
    app.command("search")(search)
    app.command("ideas")(ideas)
    app.command("erase")(erase)


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

    Ends with 0 when every file was answered: stored, known, skipped or refused, each with its reason. Ends with 1 when
    some were not, because a service or the connection failed: run it again, and what is kept is not sent twice.
    """
    with failures(as_json=as_json):
        if not folder.is_dir():
            raise UsageWrong("FOLDER_MISSING", f"{folder} is no folder; name one that holds photos", "folder")
        wanted = purposes.parse(grant, field="--grant") if grant else ()
        person = decisions.Person(regions.parse(region), adult, decisions.preferred_language(language))

        async def work(services: Services) -> None:
            allowed = await decisions.ensure(services, person, wanted, interactive=not is_script(as_json=as_json))
            with progress_bars() as bars:
                answers = await import_folder.run(
                    services, folder, allowed=allowed, wait=wait, bars=bars, emit=_answer_printer(as_json=as_json)
                )
            sum_up(answers, as_json=as_json)

        run_connected(work, subject)


def findings(subject: Subject = ME, as_json: Json = False) -> None:
    """Say what was understood of each photo: kind, tags, faces, quality, near-duplicates, text, sensitivity."""

    async def work(services: Services) -> None:
        allowed = decisions.granted(await decisions.state(services))
        async for row in listing.findings(services, allowed):
            emit(row) if as_json else say(_finding_line(row))

    with failures(as_json=as_json):
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
        files = {row.name: row.file_name for row in await listing.media(services)}
        suggestions = await listing.suggestions(services, decisions.preferred_language(language))
        for order, suggestion in enumerate(suggestions, 1):
            saved = await listing.save_renditions(services, suggestion, order, save) if save is not None else []
            row = listing.idea(suggestion, files, saved)
            emit(row) if as_json else say(_idea_line(row, saved))

    with failures(as_json=as_json):
        run_connected(work, subject)


def erase(
    file: Annotated[str, typer.Option(help="Erase one photo, by its name as imported, instead of everything.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script must say it.")] = False,
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Erase one photo or everything of a person, and say what each store deleted. Asks first."""

    async def work(services: Services) -> None:
        targets = [row.name for row in await listing.media(services) if row.file_name == file] if file else [""]
        if not targets:
            raise CommandFailed(
                "MEDIA_NOT_FOUND", f"no photo named {file!r} is kept; see `pellicule findings`", "--file"
            )
        for target in targets:
            _print_erasure(await erasure.erase(services, target), as_json=as_json)

    with failures(as_json=as_json):
        if not yes:
            _confirm_erasure(f"{file} of {subject}" if file else f"everything of {subject}", as_json=as_json)
        run_connected(work, subject)


def _answer_printer(*, as_json: bool) -> Callable[[FileResult], None]:
    def show(answer: FileResult) -> None:
        if as_json:
            emit(answer.row)
        elif answer.outcome in ("refused", "skipped"):
            say(f"{answer.outcome:8} {answer.file}: {answer.reason}{': ' + answer.detail if answer.detail else ''}")

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
        raise CommandFailed(
            "IMPORT_INCOMPLETE",
            f"{len(unanswered)} of {len(answers)} files have no answer ({first.reason}: {first.detail});"
            " run the command again: what is kept is not sent twice",
            first.file,
        )


def _finding_line(row: dict[str, object]) -> str:
    if "kind" not in row:
        return f"{row['file']}: {row['state']} {row.get('parked_reason', '')} {row.get('parked_detail', '')}".rstrip()
    tags, faces = cast("list[tuple[str, float]]", row["tags"]), cast("list[object]", row["faces"])
    names = ", ".join(f"{name} {score:.2f}" for name, score in tags[:3])
    lines = cast("list[dict[str, object]]", row["text"])
    text = f", {len(lines)} lines of text beginning {str(lines[0]['text'])!r}" if lines else ""
    unsafe = f", sensitive {row['sensitive']}" if row.get("sensitivity", "safe") != "safe" else ""
    return (
        f"{row['file']}: {row['taken_at']}, {row['kind']}, {len(faces)} faces, sharpness {row['sharpness']},"
        f" exposure {row['exposure']}{', ' + names if names else ''}{text}{unsafe}"
    )


def _match_line(row: dict[str, object]) -> str:
    lines = cast("list[str]", row["lines"])
    return f"{row['score']:.2f}  {row['file']}: {row['taken_at']}{', says ' + repr(lines[0]) if lines else ''}"


def _idea_line(row: dict[str, object], saved: list[str]) -> str:
    media = cast("list[str]", row["media"])
    where = f" -> {', '.join(saved)}" if saved else ""
    return f"{row['kind']:<10} {row['title']} ({len(media)} photos; {row['reason']}){where}"


def _confirm_erasure(what: str, *, as_json: bool) -> None:
    if is_script(as_json=as_json):
        raise UsageWrong("NOT_CONFIRMED", "nothing was erased: a script is not asked, it says --yes", "--yes")
    if not confirmed(f"Erase {what}? This cannot be undone."):
        raise CommandFailed("NOT_CONFIRMED", "nothing was erased")


def _print_erasure(erasure: erasure_pb2.Erasure, *, as_json: bool) -> None:
    state = erasure_pb2.ErasureState.Name(erasure.state).removeprefix("ERASURE_STATE_")
    stores = [
        {"store": row.store, "service": row.service, "purged": row.purged_count,
         "purge_time": row.purge_time.ToJsonString() if row.HasField("purge_time") else None}
        for row in erasure.stores
    ]  # fmt: skip
    if as_json:
        emit({"name": erasure.name, "state": state, "media": erasure.media or None,
              "keys_destroyed_at": erasure.keys_destroy_time.ToJsonString(), "stores": stores})  # fmt: skip
        return
    say(f"{erasure.name}: {state.lower()}, keys destroyed at {erasure.keys_destroy_time.ToJsonString()}")
    for store in stores:
        say(f"  {store['store']:<32} {store['purged']} deleted" + ("" if store["purge_time"] else " (outstanding)"))
