"""Choice of where the keys of epochs are: a folder, a Secret of Kubernetes, or the transit engine of a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.chassis.clock import Clock
from services.retention.epochs.epoch_files import EpochFiles, read_root_key
from services.retention.ports import EpochKeys
from services.retention.settings import Settings

_NO_FILE = Path()
"""Settings make sure that what their choice needs is there."""


@asynccontextmanager
async def open_epoch_keys(settings: Settings, clock: Clock) -> AsyncIterator[EpochKeys]:
    """Give the keys for the time of the block; nothing is asked of a server yet."""
    match settings.epochs:
        case "directory":
            yield EpochFiles(settings.epoch_dir or _NO_FILE, read_root_key(settings.root_key_file or _NO_FILE))
        case "kubernetes-secret":
            yield _in_secret(settings, clock)
        case "transit":
            async with _in_transit(settings, clock) as keys:
                yield keys


def _in_secret(settings: Settings, clock: Clock) -> EpochKeys:
    from kubernetes.client import ApiClient, Configuration, CoreV1Api
    from kubernetes.config import load_incluster_config

    from services.retention.epochs.cluster_secret import ClusterSecret
    from services.retention.epochs.secret_epochs import SecretEpochs

    configuration = Configuration()
    load_incluster_config(client_configuration=configuration)
    secret = ClusterSecret(CoreV1Api(ApiClient(configuration)), settings.epochs_namespace, settings.epochs_secret)
    return SecretEpochs(secret, read_root_key(settings.root_key_file or _NO_FILE), clock)


@asynccontextmanager
async def _in_transit(settings: Settings, clock: Clock) -> AsyncIterator[EpochKeys]:
    from services.retention.epochs.transit_epochs import TransitEpochs
    from services.retention.epochs.transit_server import TransitServer
    from services.retention.epochs.transit_tokens import AccountLogin, TokenFile

    login = settings.transit_login
    tokens = TokenFile(login.token_file) if login.token_file else AccountLogin(login, clock)
    server = TransitServer(settings.transit_engine, tokens)
    try:
        yield TransitEpochs(server, settings.transit_engine.prefix, clock)
    finally:
        await server.close()
