"""The commands about a person's photos: import, findings, search, ideas, consent, withdraw, erase."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, cast

import typer

from pellicule.consent.v1 import consent_pb2
from pellicule.retention.v1 import erasure_pb2
from services.cli import consenting, erasing, importing, listing, purposes
from services.cli.access import access_of
from services.cli.client import Services, connect
from services.cli.output import CommandFailed, console, emit, failures, progress_bars, say
from services.cli.uploading import Answer

Subject = Annotated[str, typer.Option(help="Whose photos: the `sub` of the token.", envvar="PELLICULE_SUBJECT")]
Json = Annotated[bool, typer.Option("--json", help="JSON Lines on standard output, and nothing else there.")]
Region = Annotated[
    str,
    typer.Option(help="Where the person is (ISO 3166, such as US-CA), declared by you.", envvar="PELLICULE_REGION"),
]
Adult = Annotated[bool, typer.Option("--adult/--age-unknown", help="Whether the person is of age, declared by you.")]
Language = Annotated[str, typer.Option(help="en or fr; by default as the environment says.")]

ME = "me"
REGION = "US-CA"


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("import")(import_folder)
    app.command("findings")(findings)
    app.command("search")(search)
    app.command("ideas")(ideas)
    app.command("consent")(consent)
    app.command("withdraw")(withdraw)
    app.command("erase")(erase)


def import_folder(
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
    """Bring a folder of photos in. Without a grant the notice is shown and you are asked; nothing is assumed."""

    async def work(services: Services) -> None:
        if not folder.is_dir():
            raise CommandFailed("FOLDER_MISSING", f"{folder} is no folder; name one that holds photos", "folder")
        wanted = purposes.parse(grant, field="--grant") if grant else ()
        interactive = sys.stdin is not None and sys.stdin.isatty() and not as_json
        person = consenting.Person(region, adult, consenting.preferred_language(language))
        allowed = await consenting.ensure(services, person, wanted, interactive=interactive)
        with progress_bars() as bars:
            answers = await importing.run(
                services, folder, allowed=allowed, wait=wait, bars=bars, emit=_answer_printer(as_json=as_json)
            )
        if not as_json:
            counts = Counter(answer.outcome for answer in answers)
            say(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "the folder is empty")

    _run(work, subject, as_json=as_json)


def findings(subject: Subject = ME, as_json: Json = False) -> None:
    """Say what was understood of each photo: kind, tags, faces, quality, near-duplicates, text, sensitivity."""

    async def work(services: Services) -> None:
        allowed = consenting.granted(await consenting.state(services))
        async for row in listing.findings(services, allowed):
            emit(row) if as_json else say(_finding_line(row))

    _run(work, subject, as_json=as_json)


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
        if not found and not as_json:
            console.print("no photo fits; try fewer or other words", highlight=False)

    _run(work, subject, as_json=as_json)


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
        suggestions = await listing.suggestions(services, consenting.preferred_language(language))
        for order, suggestion in enumerate(suggestions, 1):
            saved = await listing.save_renditions(services, suggestion, order, save) if save is not None else []
            row = listing.idea(suggestion, files, saved)
            emit(row) if as_json else say(_idea_line(row, saved))

    _run(work, subject, as_json=as_json)


def consent(
    grant: Annotated[str, typer.Option(help="Purposes to allow.")] = "",
    refuse: Annotated[str, typer.Option(help="Purposes to refuse.")] = "",
    notice: Annotated[bool, typer.Option("--notice", help="Print the notice in force.")] = False,
    subject: Subject = ME,
    region: Region = REGION,
    adult: Adult = True,
    language: Language = "",
    as_json: Json = False,
) -> None:
    """Show where every purpose stands; grant or refuse some."""

    async def work(services: Services) -> None:
        person = consenting.Person(region, adult, consenting.preferred_language(language))
        if notice:
            text = await consenting.current_notice(services)
            rendered = consenting.render(text, person.language)
            emit({"notice": text.name, "text": rendered}) if as_json else say(rendered)
            return
        choices = dict.fromkeys(purposes.parse(grant, field="--grant"), True) if grant else {}
        choices |= dict.fromkeys(purposes.parse(refuse, field="--refuse"), False) if refuse else {}
        if choices:
            await consenting.decide(services, person, choices)
        _print_state(await consenting.state(services), as_json=as_json)

    _run(work, subject, as_json=as_json)


def withdraw(
    purpose: Annotated[str, typer.Argument(help="Purposes to withdraw, such as FACE_GROUPING.")],
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Withdraw consent. When this returns, the purposes' keys are destroyed."""

    async def work(services: Services) -> None:
        state = await consenting.withdraw(services, purposes.parse(purpose, field="purpose"))
        _print_state(state, as_json=as_json)

    _run(work, subject, as_json=as_json)


def erase(
    file: Annotated[str, typer.Option(help="Erase one photo, by its name as imported, instead of everything.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script is never asked.")] = False,
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Erase one photo or everything of a person, and say what each store deleted."""

    async def work(services: Services) -> None:
        _confirm_erasure(file, yes=yes or not sys.stdin.isatty())
        targets = [row.name for row in await listing.media(services) if row.file_name == file] if file else [""]
        if not targets:
            raise CommandFailed(
                "MEDIA_NOT_FOUND", f"no photo named {file!r} is kept; see `pellicule findings`", "--file"
            )
        for target in targets:
            _print_erasure(await erasing.erase(services, target), as_json=as_json)

    _run(work, subject, as_json=as_json)


def _run(work: Callable[[Services], Coroutine[None, None, None]], subject: str, *, as_json: bool) -> None:
    async def connected() -> None:
        async with connect(access_of(subject)) as services:
            await work(services)

    with failures(as_json=as_json):
        asyncio.run(connected())


def _answer_printer(*, as_json: bool) -> Callable[[Answer], None]:
    def show(answer: Answer) -> None:
        if as_json:
            emit(answer.row)
        elif answer.outcome in ("refused", "skipped"):
            say(f"{answer.outcome:8} {answer.file}: {answer.reason}{': ' + answer.detail if answer.detail else ''}")

    return show


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


def _print_state(state: consent_pb2.ConsentState, *, as_json: bool) -> None:
    for purpose in state.purposes:
        status = consent_pb2.ConsentStatus.Name(purpose.status).removeprefix("CONSENT_STATUS_")
        row: dict[str, str | None] = {
            "purpose": purposes.name(purpose.purpose),
            "status": status,
            "notice": purpose.notice,
        }
        for name in ("decide_time", "expire_time"):
            row[name] = getattr(purpose, name).ToJsonString() if purpose.HasField(name) else None
        until = f" until {row['expire_time']}" if row["expire_time"] else ""
        emit(row) if as_json else say(f"{row['purpose']:<20} {status.lower()}{until}")


def _confirm_erasure(file: str, *, yes: bool) -> None:
    what = file or "everything of this person"
    if not yes and not typer.confirm(f"Erase {what}? This cannot be undone.", err=True):
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
