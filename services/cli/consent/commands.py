"""The commands about consent: consent, withdraw."""

from __future__ import annotations

from typing import Annotated

import typer

from pellicule.consent.v1 import consent_pb2
from services.cli.access import run_connected
from services.cli.client import Services
from services.cli.consent import decisions, purposes
from services.cli.options import ME, REGION, Adult, Json, Language, Region, Subject
from services.cli.output import emit, say


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

    async def work(services: Services) -> None:
        person = decisions.Person(region, adult, decisions.preferred_language(language))
        if notice:
            text = await decisions.current_notice(services)
            rendered = decisions.render(text, person.language)
            emit({"notice": text.name, "text": rendered}) if as_json else say(rendered)
            return
        choices = dict.fromkeys(purposes.parse(grant, field="--grant"), True) if grant else {}
        choices |= dict.fromkeys(purposes.parse(refuse, field="--refuse"), False) if refuse else {}
        if choices:
            await decisions.decide(services, person, choices)
        _print_state(await decisions.state(services), as_json=as_json)

    run_connected(work, subject, as_json=as_json)


def withdraw(
    purpose: Annotated[str, typer.Argument(help="Purposes to withdraw, such as FACE_GROUPING.")],
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Withdraw consent. When this returns, the purposes' keys are destroyed."""

    async def work(services: Services) -> None:
        state = await decisions.withdraw(services, purposes.parse(purpose, field="purpose"))
        _print_state(state, as_json=as_json)

    run_connected(work, subject, as_json=as_json)


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
