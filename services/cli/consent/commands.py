"""Commands about consent: consent with its receipts, withdraw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.home import default_home
from pellicule.consent.v1 import consent_pb2
from services.cli.access import run_connected
from services.cli.client import Services
from services.cli.consent import decisions, purposes, receipts, regions
from services.cli.languages import language_of
from services.cli.options import ME, REGION, Adult, Json, Language, Region, Subject
from services.cli.output import emit, failures, note, say, say_text


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    consents = typer.Typer(invoke_without_command=True)
    consents.callback()(consent)
    consents.command("receipts")(list_receipts)
    consents.command("verify")(verify)
    app.add_typer(consents, name="consent")
    app.command("withdraw")(withdraw)


def consent(
    context: typer.Context,
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
    if context.invoked_subcommand is not None:
        return
    with failures(as_json=as_json):
        person = decisions.Person(regions.parse(region), adult, language_of(language))
        choices = dict.fromkeys(purposes.parse(grant, field="--grant"), True) if grant else {}
        choices |= dict.fromkeys(purposes.parse(refuse, field="--refuse"), False) if refuse else {}

        async def work(services: Services) -> None:
            if notice:
                await _print_notice(services, person, as_json=as_json)
                return
            if choices:
                await decisions.decide(services, person, choices)
            print_state(await decisions.state(services), as_json=as_json)

        run_connected(work, subject)


def list_receipts(
    save: Annotated[Path | None, typer.Option(help="Folder to write a file for each receipt into.")] = None,
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """List the signed receipts of every decision, the newest first."""
    with failures(as_json=as_json):
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)

        async def work(services: Services) -> None:
            async for name, receipt in receipts.receipts(services):
                row = receipts.row(receipt)
                if save is not None:
                    (save / f"{name}.json").write_text(json.dumps(row) + "\n", encoding="utf-8")
                emit({"event": name, **row}) if as_json else say(_told(json.loads(receipt.canonical_json)))

        run_connected(work, subject)


def verify(
    file: Annotated[Path, typer.Argument(help="A receipt, as `pellicule consent receipts --save` writes it.")],
    key: Annotated[
        Path | None, typer.Option(help="Public key that is trusted, PEM; by default that of the stack in its home.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a receipt without a network, against a key that did not come with it."""
    with failures(as_json=as_json):
        stated = receipts.verified(file, key or default_home().receipt_key)
        emit(stated) if as_json else say(_told(stated))


def _told(stated: Mapping[str, object]) -> str:
    return f"{stated['event_time']}  {stated['purpose']:<20} {stated['type']}"


def withdraw(
    purpose: Annotated[str, typer.Argument(help="Purposes to withdraw, such as FACE_GROUPING.")],
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Withdraw consent. When this returns, the purposes' keys are destroyed."""
    with failures(as_json=as_json):
        names = purposes.parse(purpose, field="purpose")

        async def work(services: Services) -> None:
            print_state(await decisions.withdraw(services, names), as_json=as_json)

        run_connected(work, subject)


async def _print_notice(services: Services, person: decisions.Person, *, as_json: bool) -> None:
    notice = await decisions.current_notice(services)
    text = decisions.render(notice, person.language)
    emit({"notice": notice.name, "text": text}) if as_json else say_text(text)


def print_state(state: consent_pb2.ConsentState, *, as_json: bool) -> None:
    """Print where every purpose stands."""
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
        if purpose.status == consent_pb2.CONSENT_STATUS_KEY_LOST:
            note(f"{row['purpose']}: its key was lost, and with it what it sealed; grant it again to go on")
