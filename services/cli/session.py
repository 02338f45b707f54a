"""Session: a file that says where services are and who calls them, for a stack that does not run on this machine.

It has the shape of what `pellicule token --json` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import jwt
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.cli.client import Access
from services.cli.output import UsageWrong

SESSION = "PELLICULE_SESSION"
"""The setting that names the file."""

_Address = Annotated[str, StringConstraints(pattern=r"^.+:\d{1,5}$")]


class Session(BaseModel):
    """What the file says.

    Attributes:
        addresses: `host:port` of the public listener of each service.
        authority: Certificates that the services are checked against; absent means those of public authorities.
        token: Of the person; this or `token_file`.
        token_file: Holds it, as a mounted secret does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    addresses: Mapping[str, _Address] = Field(min_length=1)
    authority: Path | None = None
    token: str = ""
    token_file: Path | None = None

    @model_validator(mode="after")
    def one_token(self) -> Self:
        """Refuse two tokens, and none."""
        if bool(self.token) == bool(self.token_file):
            raise ValueError("set one of token and token_file")
        return self


def session_access(file: Path, subject: str, *, unless: str) -> Access:
    """Return what a session's person needs to call its services.

    Args:
        file: The session.
        subject: For whom the command was asked.
        unless: The subject that stands for the person of the token.

    Raises:
        UsageWrong: SESSION_UNUSABLE; SUBJECT_ANOTHER, the token is another person's.
    """
    session = _read(file)
    token = session.token or _text(session.token_file, "token_file")
    own = _subject(token)
    if own and subject not in (own, unless):
        raise UsageWrong("SUBJECT_ANOTHER", f"the token of {file} is {own}'s: leave --subject out", "--subject")
    authority = _text(session.authority, "authority").encode() if session.authority else None
    return Access(session.addresses, authority, token, stack_runs=lambda: True)


def _read(file: Path) -> Session:
    text = _text(file, SESSION)
    try:
        return Session.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or SESSION
        raise _unusable(file, first["msg"], field) from error


def _text(file: Path | None, field: str) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise _unusable(file, str(error), field) from error


def _unusable(file: Path, why: str, field: str) -> UsageWrong:
    remedy = "make it anew with `pellicule token --json`, or correct it"
    return UsageWrong("SESSION_UNUSABLE", f"{file}: {why}; {remedy}", field)


def _subject(token: str) -> str:
    """Return whose token it is; nothing where that cannot be seen."""
    try:
        return str(jwt.decode(token, options={"verify_signature": False}).get("sub", ""))
    except jwt.PyJWTError:
        return ""
