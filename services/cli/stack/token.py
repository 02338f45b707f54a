"""Command `token`: a token for calling the services with other tools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

import typer

from deploy.declarations import SERVICES
from deploy.local import authority, daemon
from deploy.local.home import StackHome, default_home
from deploy.local.state import StackState
from services.chassis.clock import SystemClock
from services.chassis.settings import TokenSettings
from services.chassis.tokens import Role, mint_token
from services.cli import durations
from services.cli.output import CommandFailed, UsageWrong, emit, failures, note, say
from services.cli.stack.failures import stack_failures

_FIELDS = TokenSettings.model_fields
ISSUER = str(_FIELDS["token_issuer"].default)
AUDIENCE = str(_FIELDS["token_audience"].default)
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=30)
"""A token cannot be called back: what it opens must close by itself."""


JWKS_SETTINGS = ("PELLICULE_TOKEN_JWKS_FILE", "PELLICULE_TOKEN_JWKS_URL")
_NOTHING_SET: Mapping[str, str] = {}


def register(app: typer.Typer) -> None:
    """Mount the command."""
    app.command("token")(token)


def token(
    subject: Annotated[str, typer.Option(help="Whom it is for: its `sub`.", envvar="PELLICULE_SUBJECT")] = "me",
    role: Annotated[Literal["person", "operator", "auditor"], typer.Option(help="What its bearer may do.")] = "person",
    ttl: Annotated[str, typer.Option(help="How long it is good, such as 90s, 30m, 12h or 7d; at most 30d.")] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line instead of the bare token.")] = False,
) -> None:
    """Print a token; addresses and the authority's certificate go to standard error."""
    with failures(as_json=as_json), stack_failures():
        life = durations.parse(ttl, field="--ttl", least=SHORTEST, most=LONGEST)
        home = default_home()
        state = daemon.running_state(home)
        addresses = public_addresses(state)
        minted = local_token(home, subject, ttl=life, role=None if role == "person" else role, settings=state.settings)
        if as_json:
            emit({"token": minted, "addresses": addresses, "authority": str(home.authority)})
            return
        for service, address in addresses.items():
            note(f"{service:<12} {address}")
        note(f"authority    {home.authority}")
        say(minted)


def public_addresses(state: StackState) -> Mapping[str, str]:
    """Return `host:port` of the public listener of each service of a stack."""
    return {name: address for name in SERVICES if (address := state.address(name))}


def local_token(
    home: StackHome,
    subject: str,
    *,
    ttl: timedelta,
    role: Role | None = None,
    settings: Mapping[str, str] = _NOTHING_SET,
) -> str:
    """Sign a token as the stack's own issuer, under the names that its operator has set.

    Raises:
        UsageWrong: SUBJECT_MISSING.
        CommandFailed: ISSUER_ANOTHER, the stack takes the tokens of another issuer.
    """
    for another in JWKS_SETTINGS:
        if another in settings:
            message = f"this stack takes the tokens of another issuer ({another}): ask it for one"
            raise CommandFailed("ISSUER_ANOTHER", message, another)
    if not subject.strip():
        raise UsageWrong("SUBJECT_MISSING", "a token is a person's: name one, such as me", "--subject")
    return mint_token(
        home.key(authority.TOKEN_KEY).read_bytes(),
        issuer=settings.get("PELLICULE_TOKEN_ISSUER", ISSUER),
        audience=settings.get("PELLICULE_TOKEN_AUDIENCE", AUDIENCE),
        subject=subject,
        ttl=ttl,
        role=role,
        clock=SystemClock(),
    )
