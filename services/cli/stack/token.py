"""The command `token`: a token for calling the services with other tools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

import typer

from deploy.local import authority, daemon
from deploy.local.home import StackHome, default_home
from deploy.local.roster import SERVICES
from deploy.local.state import StackState
from services.chassis.clock import SystemClock
from services.chassis.settings import TokenSettings
from services.chassis.tokens import Role, mint_token
from services.cli.output import CommandFailed, console, emit, failures, say
from services.cli.stack.failures import stack_failures

_FIELDS = TokenSettings.model_fields
ISSUER = str(_FIELDS["token_issuer"].default)
AUDIENCE = str(_FIELDS["token_audience"].default)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("token")(token)


def token(
    subject: Annotated[str, typer.Option(help="Whom it is for: its `sub`.", envvar="PELLICULE_SUBJECT")] = "me",
    role: Annotated[Literal["person", "operator", "auditor"], typer.Option(help="What its bearer may do.")] = "person",
    ttl: Annotated[str, typer.Option(help="How long it is good, such as 90s, 30m, 12h or 7d.")] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line instead of the bare token.")] = False,
) -> None:
    """Print a token; addresses and the authority's certificate go to standard error."""
    with failures(as_json=as_json), stack_failures():
        home = default_home()
        addresses = public_addresses(daemon.running_state(home))
        minted = local_token(home, subject, ttl=_duration(ttl), role=None if role == "person" else role)
        if as_json:
            emit({"token": minted, "addresses": addresses, "authority": str(home.authority)})
            return
        for service, address in addresses.items():
            console.print(f"{service:<12} {address}", markup=False, highlight=False)
        console.print(f"authority    {home.authority}", markup=False, highlight=False)
        say(minted)


def public_addresses(state: StackState) -> Mapping[str, str]:
    """Return `host:port` of the public listener of each service of a stack."""
    return {name: address for name in SERVICES if (address := state.address(name))}


def local_token(home: StackHome, subject: str, *, ttl: timedelta, role: Role | None = None) -> str:
    """Sign a token as the stack's own issuer."""
    return mint_token(
        home.key(authority.TOKEN_KEY).read_bytes(),
        issuer=ISSUER,
        audience=AUDIENCE,
        subject=subject,
        ttl=ttl,
        role=role,
        clock=SystemClock(),
    )


def _duration(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in _UNITS or int(number) == 0:
        raise CommandFailed("FIELD_INVALID", f"{text!r} is no duration: write 90s, 30m, 12h or 7d", "--ttl")
    return timedelta(seconds=int(number) * _UNITS[unit])
