"""Tokens for OpenBao or Vault: one in a file that somebody else renews, or one for a pod's own account."""

from pathlib import Path
from typing import Any, Protocol

import hvac
import hvac.exceptions as vault

from services.chassis.clock import Clock
from services.retention.domain.places import TransitLogin

_USED_UP = 2 / 3
"""Share of its life after which another token is asked for."""


class Tokens(Protocol):
    """Where tokens come from; asked on threads of their own."""

    @property
    def remedy(self) -> str:
        """What to do when one is refused."""

    def current(self, client: hvac.Client) -> str:
        """Return the token of the moment."""

    def another(self, client: hvac.Client) -> str:
        """Return the token to try after that of the moment was refused."""


class TokenFile:
    """A token in a file, read each time: an agent renews it there."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def remedy(self) -> str:
        """What to do when it is refused."""
        return "write a token with the policy of retention into PELLICULE_TRANSIT_TOKEN_FILE, as an agent does"

    def current(self, client: hvac.Client) -> str:
        """Return what is in the file."""
        try:
            return self._file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise vault.Unauthorized(f"{self._file}: {type(error).__name__}") from None

    def another(self, client: hvac.Client) -> str:
        """Return what is in the file by now."""
        return self.current(client)


class AccountLogin:
    """Logs in as the pod's service account, with the token that Kubernetes renews in a file."""

    def __init__(self, login: TransitLogin, clock: Clock) -> None:
        self._login = login
        self._clock = clock
        self._token = ""
        self._good_until = float("-inf")

    @property
    def remedy(self) -> str:
        """What to do when it is refused."""
        return (
            f"bind the service account of retention to the role {self._login.role} of auth/{self._login.mount}, and"
            " give that role the policy of retention"
        )

    def current(self, client: hvac.Client) -> str:
        """Return the token of the last login, or of another one once most of its time is over."""
        if self._clock.monotonic() >= self._good_until:
            return self.another(client)
        return self._token

    def another(self, client: hvac.Client) -> str:
        """Log in again."""
        login = self._login
        try:
            jwt = login.jwt_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise vault.Unauthorized(f"{login.jwt_file}: {type(error).__name__}") from None
        answer: Any = client.auth.kubernetes.login(login.role, jwt, use_token=False, mount_point=login.mount)
        self._token = str(answer["auth"]["client_token"])
        self._good_until = self._clock.monotonic() + float(answer["auth"]["lease_duration"]) * _USED_UP
        return self._token
