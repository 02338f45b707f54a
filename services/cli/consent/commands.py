"""Commands about consent: consent, withdraw."""

from __future__ import annotations

from typing import Annotated

import typer

from pellicule.consent.v1 import consent_pb2
from services.cli.access import run_connected
from services.cli.client import Services
from services.cli.consent import decisions, purposes, regions
from services.cli.languages import language_of
from services.cli.options import ME, REGION, Adult, Json, Language, Region, Subject
from services.cli.output import emit, failures, note, say, say_text


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("consent")(consent)
    app.command("withdraw")(withdraw)


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
