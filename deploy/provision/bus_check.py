"""Check of the bus: each service gets in with its own password, and hears its own subjects alone."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.provision.differences import Difference

if TYPE_CHECKING:
    from nats.aio.client import Client

_CONNECT_SECONDS = 5
_REFUSED_SECONDS = 5.0
_REMEDY = "load the accounts that `python -m deploy.provision --write DIR` writes, with the passwords of the Secrets"


class BusUsers:
    """The users of a bus; they are in its configuration, which is not changed through the bus.

    Args:
        url: `tls://host:port`, without a user.
        ca_file: Certificates that it is checked against.
        passwords: By user.
    """

    def __init__(self, url: str, ca_file: Path | None, passwords: Mapping[str, str]) -> None:
        self._url = url
        self._ca_file = ca_file
        self._passwords = passwords

    def differences(self) -> Iterator[Difference]:
        """Yield what is not as declared."""
        for user in self._passwords:
            if wrong := asyncio.run(self._wrong(user)):
                yield Difference(f"user {user} of the bus", wrong, remedy=_REMEDY)

    async def _wrong(self, user: str) -> str:
        from nats.aio.client import Client
        from nats.errors import Error

        errors: asyncio.Queue[Exception] = asyncio.Queue()
        client = Client()
        try:
            await client.connect(
                self._url,
                user=user,
                password=self._passwords[user],
                tls=self._tls(),
                allow_reconnect=False,
                connect_timeout=_CONNECT_SECONDS,
                error_cb=errors.put,
            )
            return await _hears_everything(client, errors)
        except (Error, OSError, TimeoutError) as error:
            return f"does not get in: {str(error) or type(error).__name__}"
        finally:
            await client.close()

    def _tls(self) -> ssl.SSLContext | None:
        if not self._url.startswith("tls://"):
            return None
        return ssl.create_default_context(cafile=None if self._ca_file is None else str(self._ca_file))


async def _hears_everything(client: "Client", errors: asyncio.Queue[Exception]) -> str:
    await client.subscribe(">")
    try:
        await asyncio.wait_for(errors.get(), _REFUSED_SECONDS)
    except TimeoutError:
        return "may listen to everything"
    return ""
