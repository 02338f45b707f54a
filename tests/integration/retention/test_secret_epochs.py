"""Keys of epochs in one named Secret, over the HTTP of an API server."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator

import pytest
from kubernetes.client import ApiClient, Configuration, CoreV1Api

from services.retention.epochs.cluster_secret import NO_BACKUP, ClusterSecret
from services.retention.epochs.secret_epochs import KEPT_SECONDS, SecretEpochs
from services.retention.errors import EpochGone, KeysUnavailable
from services.retention.ports import EpochKeys
from tests.contract.retention.epoch_keys_suite import (
    FIRST,
    SECOND,
    SECRET,
    EpochKeysSuite,
    asked,
    begun,
    is_there,
    unwrapped,
    wrapped,
)
from tests.fakes.clock import FakeClock
from tests.fakes.cluster_api import ClusterApi, cluster_api

NAMESPACE, NAME = "photos", "pellicule-epochs"
ROOT_KEY = b"r" * 32


@pytest.fixture
def api() -> Iterator[ClusterApi]:
    with cluster_api() as api:
        yield api


@pytest.fixture
def path(api: ClusterApi) -> str:
    return api.make(NAMESPACE, NAME)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def client(api: ClusterApi) -> AsyncIterator[CoreV1Api]:
    client = ApiClient(Configuration(host=api.url))
    yield CoreV1Api(client)
    client.rest_client.pool_manager.clear()


def epochs_in(client: CoreV1Api, clock: FakeClock, root_key: bytes = ROOT_KEY) -> SecretEpochs:
    return SecretEpochs(ClusterSecret(client, NAMESPACE, NAME), root_key, clock)


@pytest.fixture
def keys(client: CoreV1Api, path: str, clock: FakeClock) -> SecretEpochs:
    return epochs_in(client, clock)


@pytest.fixture
def others(client: CoreV1Api, path: str, clock: FakeClock) -> SecretEpochs:
    return epochs_in(client, clock)


class TestSecretEpochs(EpochKeysSuite):
    """The suite of all keepers."""


async def test_it_holds_no_key_in_clear_and_is_left_out_of_backups(
    api: ClusterApi, keys: SecretEpochs, path: str
) -> None:
    await begun(keys)
    secret = api.secrets[path]
    [(name, value)] = secret["data"].items()
    assert (name, len(base64.b64decode(value))) == (f"{FIRST}.epoch", 12 + 32 + 16)
    assert secret["metadata"]["labels"] == {"of": "an operator", NO_BACKUP: "true"}


async def test_another_root_key_opens_nothing(keys: SecretEpochs, client: CoreV1Api, clock: FakeClock) -> None:
    await begun(keys)
    thief = epochs_in(client, clock, b"x" * 32)
    assert not await is_there(thief, FIRST)
    with pytest.raises(EpochGone):
        await unwrapped(thief, await wrapped(keys))


async def test_who_comes_second_begins_again_and_takes_what_is_there(
    api: ClusterApi, keys: SecretEpochs, others: SecretEpochs, path: str
) -> None:
    await others.ensure(SECOND)
    api.overtaken.append({"data": {**api.secrets[path]["data"], "2026-03-03.epoch": "AAAA"}})
    await keys.ensure(FIRST)
    assert sorted(api.secrets[path]["data"]) == [f"{day}.epoch" for day in (FIRST, SECOND, "2026-03-03")]


async def test_ten_processes_that_make_an_epoch_at_once_share_its_key(
    client: CoreV1Api, path: str, clock: FakeClock
) -> None:
    processes = [epochs_in(client, clock) for _ in range(10)]
    made = await asyncio.gather(*(each.ensure(FIRST) for each in processes))
    prints = {await asked(each, lambda each=each: each.fingerprint(FIRST)) for each in processes}  # type: ignore[misc]
    assert (sum(made), len(prints)) == (1, 1)


async def test_nothing_is_changed_where_nothing_is_to_be(api: ClusterApi, keys: SecretEpochs) -> None:
    await begun(keys)
    before = api.changed
    await keys.ensure(FIRST)
    await keys.end(SECOND)
    assert api.changed == before


async def test_keys_are_good_for_a_while_without_the_api_server_and_lost_by_no_outage(
    api: ClusterApi, keys: EpochKeys, others: EpochKeys, clock: FakeClock
) -> None:
    await begun(keys)
    key = await wrapped(keys)
    api.refuses = 503
    with pytest.raises(KeysUnavailable):
        await unwrapped(others, key)
    await clock.advance(KEPT_SECONDS - 60)
    assert await unwrapped(keys, key) == SECRET
    for attempt in (lambda: asked(keys, keys.all), lambda: keys.ensure(SECOND), lambda: keys.end(FIRST)):
        with pytest.raises(KeysUnavailable):
            await attempt()
    await clock.advance(120)
    with pytest.raises(KeysUnavailable):
        await unwrapped(keys, key)
    api.refuses = 0
    assert await unwrapped(keys, key) == SECRET


@pytest.mark.parametrize(
    ("status", "said"), [(403, "let the service account"), (404, "make it, empty"), (500, "answers 500")]
)
async def test_what_is_wrong_with_the_secret_is_said(
    api: ClusterApi, keys: SecretEpochs, status: int, said: str
) -> None:
    api.refuses = status
    with pytest.raises(KeysUnavailable, match=f"the Secret {NAME} of the namespace {NAMESPACE}: .*{said}"):
        await keys.look()


async def test_a_server_that_is_not_there_has_lost_nothing(keys: SecretEpochs, clock: FakeClock) -> None:
    await begun(keys)
    key = await wrapped(keys)
    client = ApiClient(Configuration(host="http://127.0.0.1:9"))
    nowhere = epochs_in(CoreV1Api(client), clock)
    with pytest.raises(KeysUnavailable, match="does not answer"):
        await unwrapped(nowhere, key)
