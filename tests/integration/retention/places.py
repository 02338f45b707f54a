"""Places where keys of epochs are, with what an operator does to them: copies, restores, outages."""

import asyncio
import copy
import shutil
from pathlib import Path
from typing import Protocol

from kubernetes.client import ApiClient, Configuration, CoreV1Api

from services.retention.domain.places import TransitEngine
from services.retention.epochs.cluster_secret import ClusterSecret
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.epochs.secret_epochs import SecretEpochs
from services.retention.epochs.transit_epochs import TransitEpochs
from services.retention.epochs.transit_server import TransitServer
from services.retention.epochs.transit_tokens import TokenFile
from services.retention.ports import EpochKeys
from tests.fakes.clock import FakeClock
from tests.fakes.cluster_api import ClusterApi
from tests.integration.retention.openbao import OpenBao

ROOT_KEY = b"r" * 32


class Place(Protocol):
    """A place that many processes share."""

    def keys(self) -> EpochKeys:
        """Return the keys as a process has them that begins now."""

    def epochs(self) -> list[str]:
        """Return the epochs whose keys are there."""

    def remove(self, epoch: str) -> None:
        """Take a key out by hand."""

    async def copy(self) -> object:
        """Take a copy of all that is there."""

    async def put_back(self, copied: object) -> None:
        """Put a copy in the place of what is there."""

    async def close(self) -> None:
        """Close connections."""


class Folder:
    """A directory on one machine."""

    def __init__(self, folder: Path, _: FakeClock) -> None:
        self._folder = folder / "shared-epochs"
        self._copies = folder / "copies"

    def keys(self) -> EpochKeys:
        return EpochFiles(self._folder, ROOT_KEY)

    def epochs(self) -> list[str]:
        return sorted(file.stem for file in self._folder.glob("*.epoch"))

    def remove(self, epoch: str) -> None:
        (self._folder / f"{epoch}.epoch").unlink()

    async def copy(self) -> object:
        number = len(list(self._copies.iterdir())) if self._copies.exists() else 0
        return shutil.copytree(self._folder, self._copies / str(number))

    async def put_back(self, copied: object) -> None:
        shutil.rmtree(self._folder)
        shutil.copytree(Path(str(copied)), self._folder)

    async def close(self) -> None:
        """Nothing is open."""


class Secret:
    """A Secret of a cluster."""

    def __init__(self, api: ClusterApi, clock: FakeClock) -> None:
        self._api = api
        self._clock = clock
        self._path = api.make("photos", "epochs")
        self._client = ApiClient(Configuration(host=api.url))

    def keys(self) -> EpochKeys:
        return SecretEpochs(ClusterSecret(CoreV1Api(self._client), "photos", "epochs"), ROOT_KEY, self._clock)

    def epochs(self) -> list[str]:
        return sorted(name.removesuffix(".epoch") for name in self._data)

    def remove(self, epoch: str) -> None:
        del self._data[f"{epoch}.epoch"]

    async def copy(self) -> object:
        return copy.deepcopy(self._data)

    async def put_back(self, copied: object) -> None:
        self._api.secrets[self._path]["data"] = copy.deepcopy(copied)

    async def close(self) -> None:
        self._client.rest_client.pool_manager.clear()

    @property
    def _data(self) -> dict[str, str]:
        data: dict[str, str] = self._api.secrets[self._path].get("data") or {}
        return data


class Engine:
    """The transit engine of a server."""

    def __init__(self, bao: OpenBao, folder: Path, clock: FakeClock) -> None:
        self._bao = bao
        self._clock = clock
        self._token_file = folder / "token"
        self._token_file.write_text(bao.token("24h"))
        self._servers: list[TransitServer] = []
        for name in bao.names():
            self._delete(name)

    def keys(self) -> EpochKeys:
        engine = TransitEngine(self._bao.url, "transit", ca_file=self._bao.files.ca)
        self._servers.append(TransitServer(engine, TokenFile(self._token_file)))
        return TransitEpochs(self._servers[-1], "pellicule", self._clock)

    def epochs(self) -> list[str]:
        return sorted(name.removeprefix("pellicule-epoch-") for name in self._bao.names())

    def remove(self, epoch: str) -> None:
        self._delete(f"pellicule-epoch-{epoch}")

    async def copy(self) -> object:
        return await asyncio.to_thread(self._bao.snapshot)

    async def put_back(self, copied: object) -> None:
        assert isinstance(copied, bytes)
        await self._bao.restore(copied)

    async def close(self) -> None:
        for server in self._servers:
            await server.close()

    def _delete(self, name: str) -> None:
        self._bao.admin.secrets.transit.update_key_configuration(name, deletion_allowed=True)
        self._bao.admin.secrets.transit.delete_key(name)
