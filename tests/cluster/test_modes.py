"""The other modes, where their controllers are there: public listeners of Knative's, models of KServe's."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from deploy.declarations import SERVICES
from tests.cluster.harness import imports, release
from tests.cluster.harness.controllers import has_controller, left_out
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.names import INFERENCE, NAMESPACE, RELEASE
from tests.cluster.harness.phone import Phone, phone
from tests.cluster.harness.programs import Cluster
from tests.cluster.harness.times import Times

KNATIVE: Final[Mapping[str, Any]] = {"services": {service: {"mode": "knative"} for service in SERVICES}}
KSERVE: Final[Mapping[str, Any]] = {"mode": "kserve"}
PREDICTOR: Final = f"{INFERENCE}-predictor.{NAMESPACE}.svc.cluster.local:80"


@pytest.fixture
def on_knative(installed: Cluster, times: Times) -> Iterator[Cluster]:
    """Have Knative run the public listeners for a while."""
    if not has_controller(installed, "Knative Serving"):
        pytest.skip(left_out("Knative Serving", "mode knative"))
    with times.step("helm upgrade to Knative's public listeners"):
        release.install(installed, RELEASE, release.own(installed), KNATIVE)
    yield installed
    release.install(installed, RELEASE, release.own(installed))


@pytest.fixture
def on_kserve(installed: Cluster, repository: str, times: Times) -> Iterator[Cluster]:
    """Have KServe run the models for a while."""
    if not has_controller(installed, "KServe"):
        pytest.skip(left_out("KServe", "mode kserve"))
    with times.step("helm upgrade to KServe's predictor"):
        release.install(installed, INFERENCE, release.inference(installed, repository), KSERVE)
        release.install(installed, RELEASE, release.own(installed), {"triton": {"address": PREDICTOR}})
    yield installed
    release.install(installed, INFERENCE, release.inference(installed, repository))
    release.install(installed, RELEASE, release.own(installed))


def test_a_roll_becomes_ideas_behind_knative(on_knative: Cluster, credentials: Credentials, ada: Phone) -> None:
    hosts = {service: f"http://{RELEASE}-{service}-public.{NAMESPACE}.svc.cluster.local:80" for service in SERVICES}
    ian = phone(ada.place, ada.pod, credentials, "ian", hosts)

    assert {row["outcome"] for row in imports.begin(ian, "/tmp/roll").end().values()} == {"stored"}
    assert ian.rows("ideas")


def test_photos_are_understood_by_models_of_kserve(on_kserve: Cluster, credentials: Credentials, ada: Phone) -> None:
    joy = phone(ada.place, ada.pod, credentials, "joy")

    answers = imports.begin(joy, "/tmp/roll").end()

    assert {row["state"] for row in joy.rows("findings")} == {"done"}
    assert len(joy.rows("findings")) == len(answers)
