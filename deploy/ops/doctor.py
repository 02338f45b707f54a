"""Command `doctor`: says what is wrong with Pellicule on a cluster, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import typer

from deploy.ops.checks.certificates import certificates
from deploy.ops.checks.check import Check, Verdict
from deploy.ops.checks.clocks import clocks
from deploy.ops.checks.cluster import Cluster, ClusterUnreachable
from deploy.ops.checks.look import looked
from deploy.ops.checks.needs import needs_of
from deploy.ops.checks.prerequisites import Needed, prerequisites
from deploy.ops.checks.scaling import budgets, scalers
from deploy.ops.checks.scope import Scope
from deploy.ops.checks.services import services
from deploy.ops.checks.workloads import cronjobs, gpus, jobs, pods, served, workloads
from deploy.ops.options import Context, Environment, Json, Namespace, Release
from deploy.ops.output import note, say_check
from deploy.ops.pods import Pods, configured

Now: TypeAlias = Callable[[], datetime]
NOTHING_WRONG, WRONG, NOT_ALL_SEEN = 0, 1, 3


@dataclass(frozen=True)
class Patient:
    """What is examined.

    Attributes:
        cluster: Where it runs.
        pods: Where its services are asked.
        scope: Its objects.
        needed: What its environment wants of the cluster.
    """

    cluster: Cluster
    pods: Pods
    scope: Scope
    needed: Needed


def doctor(
    namespace: Namespace = "pellicule",
    release: Release = "",
    environment: Environment = "production",
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Say what is wrong and what to do; exit status 0 only if nothing is and all was seen (1 wrong, 3 not all seen)."""
    found = []
    try:
        patient = Patient(*configured(context), Scope(namespace, release), needs_of(environment, namespace))
        for check in examine(patient, lambda: datetime.now(UTC)):
            found.append(check)
            say_check(check, as_json=as_json)
    except ClusterUnreachable as error:
        found.append(
            Check.unknown("kubernetes: API", " ".join(str(error).split()), "set KUBECONFIG, or --context, to one")
        )
        say_check(found[-1], as_json=as_json)
    note(summary(found))
    raise typer.Exit(status_of(found))


def examine(patient: Patient, now: Now) -> Iterator[Check]:
    """Yield all checks, one subject after the other."""
    cluster, scope = patient.cluster, patient.scope
    note("what the charts need ...")
    yield from prerequisites(cluster, patient.needed)
    note(f"namespace {scope.namespace} ...")
    yield from looked(
        [
            ("workloads", lambda: workloads(cluster, scope)),
            ("services of Knative and KServe", lambda: served(cluster, scope)),
            ("pods: restarts", lambda: pods(cluster, scope)),
            ("jobs", lambda: jobs(cluster, scope)),
            ("cronjobs", lambda: cronjobs(cluster, scope)),
            ("gpu nodes", lambda: gpus(cluster, scope)),
            ("scaledobjects", lambda: scalers(cluster, scope)),
            ("disruption budgets", lambda: budgets(cluster, scope)),
            ("certificates", lambda: certificates(cluster, scope, now())),
            ("clocks", lambda: clocks(cluster, now())),
        ]
    )
    for name, look in services(cluster, patient.pods, scope, now()):
        note(f"{name}, of itself ...")
        yield from looked([(f"{name}: asked", look)])


def status_of(found: list[Check]) -> int:
    """Return the exit status: what could not be looked at may be wrong."""
    verdicts = {check.verdict for check in found}
    return WRONG if Verdict.WRONG in verdicts else NOT_ALL_SEEN if Verdict.UNKNOWN in verdicts else NOTHING_WRONG


def summary(found: list[Check]) -> str:
    """Return how many checks there were of each verdict."""
    counted = {verdict: sum(check.verdict is verdict for check in found) for verdict in Verdict}
    return ", ".join(f"{count} {verdict}" for verdict, count in counted.items() if count)
