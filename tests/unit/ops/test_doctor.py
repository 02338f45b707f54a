"""What the doctor says of a release: each thing broken once, and named, with what to do about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from deploy.ops.checks.check import Check, Verdict
from deploy.ops.checks.pieces import PIECES
from deploy.ops.checks.prerequisites import Needed
from deploy.ops.checks.scope import Scope
from deploy.ops.doctor import NOT_ALL_SEEN, NOTHING_WRONG, WRONG, Patient, examine, status_of
from deploy.ops.inside.buckets import backstop_days
from deploy.ops.pods import Ran
from services.analysis.settings import Settings as AnalysisSettings
from services.ingest.settings import Settings as IngestSettings
from services.suggestion.settings import Settings as SuggestionSettings
from tests.contract.products import ROOT
from tests.fakes.cluster import FakeCluster
from tests.fakes.pods import FakePods
from tests.unit.ops import healthy
from tests.unit.ops.healthy import CERTIFICATES, JOBS, LEASES, NOW, PODS, SCALERS, WORKLOADS, labels_of

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
Break = Callable[[FakeCluster, FakePods], None]


def examined(cluster: FakeCluster, pods: FakePods, release: str = "") -> list[Check]:
    patient = Patient(cluster, pods, Scope("pellicule", release), Needed(pieces=tuple(PIECES), gpu=False))
    return list(examine(patient, lambda: NOW))


def object_of(cluster: FakeCluster, path: str, name: str) -> dict[str, Any]:
    return cluster.objects[f"{path}/{name}"]


def row(pods: FakePods, service: str, look: str) -> Any:
    return pods.rows[service][look]


def no_kind(cluster: FakeCluster, _: FakePods) -> None:
    del cluster.objects[f"{CRDS}/scaledobjects.keda.sh"]


def other_rule(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "ingest", "buckets")[0]["days"] = [365]


def no_rule(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "analysis", "buckets")[0]["days"] = []


def expired(cluster: FakeCluster, _: FakePods) -> None:
    status = object_of(cluster, CERTIFICATES, "pellicule-consent")["status"]
    status["notAfter"], status["renewalTime"] = "2026-11-30T00:00:00Z", "2026-11-20T00:00:00Z"


def expires_where_it_is_mounted(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "consent", "certificates")[0]["ends"] = (NOW + timedelta(days=2)).isoformat()


def stuck(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "suggestion", "consumers")[1].update(waiting=3, idle_seconds=5400.0)


def no_consumer(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "analysis", "consumers")[-1].update(waiting=None, idle_seconds=None)


def no_gpu(cluster: FakeCluster, _: FakePods) -> None:
    object_of(cluster, "/api/v1/nodes", "gpu")["status"]["allocatable"] = {"cpu": "2", "pods": "200"}


def crashing(cluster: FakeCluster, _: FakePods) -> None:
    """Have a second pod of ingest crash, as the kubelet says it."""
    status = {
        "name": "ingest",
        "ready": False,
        "restartCount": 5,
        "started": False,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 2m40s restarting failed container"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
    }
    labels = labels_of("ingest", "server")
    cluster.add(PODS, "pellicule-ingest-2", labels=labels, status={"containerStatuses": [status]})


def not_prepared(cluster: FakeCluster, _: FakePods) -> None:
    reason = {"reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}
    conditions = [{"type": "FailureTarget", "status": "True"}, {"type": "Failed", "status": "True", **reason}]
    labels = labels_of("retention", "prepare")
    cluster.add(JOBS, "pellicule-retention-prepare", labels=labels, status={"failed": 4, "conditions": conditions})


def not_repaired(cluster: FakeCluster, _: FakePods) -> None:
    status = object_of(cluster, healthy.CRONJOBS, "pellicule-ingest-prepare")["status"]
    status["lastSuccessfulTime"] = "2026-11-30T03:00:09Z"


def not_served(cluster: FakeCluster, _: FakePods) -> None:
    conditions = object_of(cluster, healthy.SERVED, "pellicule-inference")["status"]["conditions"]
    conditions[1].update(status="False", reason="PredictorNotReady")


def not_seen(cluster: FakeCluster, _: FakePods) -> None:
    object_of(cluster, healthy.SERVED, "pellicule-inference")["status"] = {}


def not_scaling(cluster: FakeCluster, _: FakePods) -> None:
    conditions = object_of(cluster, SCALERS, "pellicule-analysis-worker")["status"]["conditions"]
    conditions[0].update(status="False", reason="ScaledObjectCheckFailed", message="error parsing nats metadata")


def clock_ahead(cluster: FakeCluster, _: FakePods) -> None:
    object_of(cluster, LEASES, "gpu")["spec"]["renewTime"] = (NOW + timedelta(minutes=2)).isoformat()


def clock_behind(cluster: FakeCluster, _: FakePods) -> None:
    object_of(cluster, LEASES, "gpu")["spec"]["renewTime"] = (NOW - timedelta(minutes=2)).isoformat()


def epoch_overdue(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "retention", "epochs")["overdue"] = 1


def epoch_stale(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "retention", "epochs")["age_seconds"] = 40 * 3600.0


def journal_behind(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "suggestion", "journal").update(position=12, unread_seconds=700.0)


def journal_lost(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "suggestion", "journal")["newest"] = None


def given_up(_: FakeCluster, pods: FakePods) -> None:
    row(pods, "analysis", "failed")["dead_letters"] = 2


def replicas_missing(cluster: FakeCluster, _: FakePods) -> None:
    status = object_of(cluster, WORKLOADS, "pellicule-consent-upkeep")["status"]
    del status["readyReplicas"]


BREAKS: list[tuple[Break, str]] = [
    (no_kind, "keda: scaledobjects.keda.sh"),
    (other_rule, "ingest: lifecycle of bucket media"),
    (no_rule, "analysis: lifecycle of bucket previews"),
    (expired, "certificate pellicule-consent"),
    (expires_where_it_is_mounted, "consent: certificate own"),
    (stuck, "suggestion: consumer suggestion-analyzed"),
    (no_consumer, "analysis: consumer analysis-worker"),
    (no_gpu, "gpu nodes"),
    (crashing, "pod pellicule-ingest-2: ingest"),
    (not_prepared, "job pellicule-retention-prepare"),
    (not_repaired, "cronjob pellicule-ingest-prepare"),
    (not_served, "inferenceservice pellicule-inference"),
    (not_seen, "inferenceservice pellicule-inference"),
    (not_scaling, "scaledobject pellicule-analysis-worker"),
    (clock_ahead, "clock of node gpu"),
    (clock_behind, "clock of node gpu"),
    (epoch_overdue, "retention: epochs"),
    (epoch_stale, "retention: newest epoch"),
    (journal_behind, "suggestion: journal"),
    (journal_lost, "suggestion: journal"),
    (given_up, "analysis: dead letters"),
    (replicas_missing, "workload pellicule-consent-upkeep"),
]


@pytest.fixture
def cluster() -> FakeCluster:
    return healthy.with_release()


@pytest.fixture
def pods() -> FakePods:
    return FakePods()


def test_nothing_is_wrong_with_a_release_that_is_well(cluster: FakeCluster, pods: FakePods) -> None:
    found = examined(cluster, pods)

    assert [each for each in found if each.verdict is not Verdict.RIGHT] == []
    assert status_of(found) == NOTHING_WRONG


def test_a_record_that_is_read_at_the_next_look_is_no_fault(cluster: FakeCluster, pods: FakePods) -> None:
    row(pods, "suggestion", "journal").update(position=40, unread_seconds=200.0)

    assert status_of(examined(cluster, pods)) == NOTHING_WRONG


@pytest.mark.parametrize(("broken", "name"), BREAKS, ids=[broken.__name__ for broken, _ in BREAKS])
def test_what_is_broken_is_named_alone(cluster: FakeCluster, pods: FakePods, broken: Break, name: str) -> None:
    broken(cluster, pods)

    found = examined(cluster, pods)

    wrong = [each for each in found if each.verdict is not Verdict.RIGHT]
    assert [(each.name, each.verdict) for each in wrong] == [(name, Verdict.WRONG)]
    assert wrong[0].wrong
    assert wrong[0].remedy
    assert not wrong[0].runbook or (ROOT / wrong[0].runbook).is_file()
    assert status_of(found) == WRONG


def test_all_that_is_broken_is_named_at_once(cluster: FakeCluster, pods: FakePods) -> None:
    for broken, _ in BREAKS:
        broken(cluster, pods)

    named = {each.name for each in examined(cluster, pods) if each.verdict is Verdict.WRONG}

    assert named == {name for _, name in BREAKS}


def paused(cluster: FakeCluster) -> None:
    document = object_of(cluster, SCALERS, "pellicule-analysis-worker")
    document["metadata"]["annotations"] = {"autoscaling.keda.sh/paused": "true"}


def blocking(cluster: FakeCluster) -> None:
    object_of(cluster, healthy.BUDGETS, "pellicule-ingest-upkeep")["status"]["disruptionsAllowed"] = 0


@pytest.mark.parametrize("may_be_meant", [paused, blocking])
def test_what_may_be_meant_so_is_a_warning(
    cluster: FakeCluster, pods: FakePods, may_be_meant: Callable[[FakeCluster], None]
) -> None:
    may_be_meant(cluster)

    found = examined(cluster, pods)

    assert [each.verdict for each in found if each.wrong] == [Verdict.WARNING]
    assert status_of(found) == NOTHING_WRONG


def test_what_cannot_be_asked_is_never_right(cluster: FakeCluster, pods: FakePods) -> None:
    """May not exec, and may not list certificates: neither stops the other looks."""
    pods.refused = True
    cluster.refused.add(CERTIFICATES)

    found = examined(cluster, pods)

    unknown = [each.name for each in found if each.verdict is Verdict.UNKNOWN]
    assert unknown == ["certificates", *(f"{each}: asked" for each in pods.rows)]
    assert status_of(found) == NOT_ALL_SEEN


@pytest.mark.parametrize(
    ("answer", "lost", "why"),
    [
        (Ran(1, "", "No module named deploy.ops.inside"), False, "No module named"),
        (Ran(0, '{"look": "epochs", "unseen": "OperationalError: refused"}\n', ""), False, "OperationalError"),
        (Ran(0, '{"look": "novelty", "seen": 1}\n', ""), False, "novelty"),
        (Ran(0, '{"look": "failed", "seen": null}\n', ""), False, "failed"),
        (Ran(0, "a warning of a library\n", ""), False, "a warning"),
        (Ran(0, "", ""), True, "has gone"),
    ],
)
def test_a_service_that_does_not_say_is_unknown_with_the_reason(
    cluster: FakeCluster, pods: FakePods, answer: Ran, lost: bool, why: str
) -> None:
    pods.answers["retention"], pods.lost = answer, lost

    (first, *_) = [each for each in examined(cluster, pods) if each.verdict is Verdict.UNKNOWN]

    assert first.name.startswith("retention: ")
    assert why in first.wrong


def test_a_release_that_is_not_there_is_wrong(cluster: FakeCluster, pods: FakePods) -> None:
    found = examined(cluster, pods, release="other")

    assert "workloads" in [each.name for each in found if each.verdict is Verdict.WRONG]


def test_buckets_are_held_against_what_the_services_set() -> None:
    days = {each.model_fields["backstop_days"].default for each in (AnalysisSettings, SuggestionSettings)}
    ingest = IngestSettings.model_construct(retention_days=14).backstop_days

    assert days == {backstop_days({})} == {backstop_days({"PELLICULE_BACKSTOP_DAYS": "32"})}
    assert backstop_days({"PELLICULE_RETENTION_DAYS": "14"}) == ingest
    assert backstop_days({}) == IngestSettings.model_construct().backstop_days
