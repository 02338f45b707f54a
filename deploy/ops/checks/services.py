"""Checks of what each service says of itself, asked in one of its own pods, with its own rights."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from deploy.declarations import SERVICES
from deploy.ops.checks.certificates import RUNBOOK as CERTIFICATE_EXPIRES
from deploy.ops.checks.certificates import ending
from deploy.ops.checks.check import Check
from deploy.ops.checks.cluster import Cluster
from deploy.ops.checks.look import Look
from deploy.ops.checks.scope import Scope
from deploy.ops.pods import CommandLost, Pods, container_of

Seen: TypeAlias = Any
"""What a look returned; as varied as the looks (`deploy.ops.inside`)."""

_PYTHON = ("/opt/pellicule/bin/python", "-m")
"""The image's entry point."""
_SECONDS = 90
_STUCK_SECONDS = 900
_STALE_SECONDS = 26 * 3600
_UNREAD_SECONDS = 600
"""Twice what a service lets pass between two looks at the journal, of which purge orders tell it at once."""
_RUNBOOKS = "docs/runbooks"
_ASK_POD = "mend its pods first, and look at their logs"


def services(cluster: Cluster, pods: Pods, scope: Scope, now: datetime) -> Iterator[tuple[str, Look]]:
    """Yield a look at each service."""
    for service in SERVICES:
        yield service, partial(_service, cluster, pods, scope, service, now)


def _service(cluster: Cluster, pods: Pods, scope: Scope, service: str, now: datetime) -> Iterator[Check]:
    container = container_of(cluster, scope.namespace, scope.labels, service)
    if container is None:
        yield Check.unknown(f"{service}: asked", "no pod of it runs that can be asked", _ASK_POD)
        return
    try:
        ran = pods.run(container, (*_PYTHON, "deploy.ops.inside", service), _SECONDS)
    except CommandLost as error:
        yield Check.unknown(f"{service}: asked", str(error), _ASK_POD)
        return
    if ran.status or not ran.output.strip():
        why = f"exit status {ran.status}: {' '.join(ran.errors.split()[-30:])}"
        yield Check.unknown(f"{service}: asked", why, "is its image older than this command? else look at its logs")
    for line in ran.output.splitlines():
        yield from _read(service, line, now)


def _read(service: str, line: str, now: datetime) -> Iterator[Check]:
    try:
        yield from _said(service, json.loads(line), now)
    except (ValueError, LookupError, TypeError) as error:
        why = f"it says what this command does not know: {line[:100]} ({type(error).__name__})"
        yield Check.unknown(f"{service}: asked", why, "use the command of the version that runs there")


def _said(service: str, row: Mapping[str, Any], now: datetime) -> Iterator[Check]:
    if "unseen" in row:
        yield Check.unknown(f"{service}: {row['look']}", row["unseen"], "look whether its servers answer, and its log")
        return
    readers: Mapping[str, Callable[[str, Seen], Iterator[Check]]] = {
        "failed": _failed,
        "journal": _journal,
        "consumers": _consumers,
        "buckets": _buckets,
        "certificates": partial(_certificates, now),
        "epochs": _epochs,
    }
    yield from readers[row["look"]](service, row["seen"])


def _failed(service: str, seen: Seen) -> Iterator[Check]:
    letters, aside = seen["dead_letters"], seen["set_aside"]
    remedy = "pellicule-ops dead-letters list; mend the cause, then retry or delete them"
    wrong = f"{letters} events were given up" if letters else ""
    yield Check.of(f"{service}: dead letters", wrong, remedy, f"{_RUNBOOKS}/PelliculeDeadLetters.md")
    wrong = f"{aside} items fail and are tried again" if aside else ""
    yield Check.warned(f"{service}: set aside", wrong, remedy, f"{_RUNBOOKS}/PelliculeWorkSetAside.md")


def _journal(service: str, seen: Seen) -> Iterator[Check]:
    newest, position = seen["newest"], seen["position"]
    lost = position is not None and (newest is None or newest < position)
    behind = (seen["unread_seconds"] or 0) > _UNREAD_SECONDS
    end = "is empty" if newest is None else f"ends at {newest}"
    wrong = f"its database has seen record {position} of journal {seen['journal']}, which {end}"
    remedy = "what was destroyed may be readable until it has; look at its log for journal_waits and journal_closed"
    yield Check.of(
        f"{service}: journal", wrong if lost or behind else "", remedy, f"{_RUNBOOKS}/PelliculeJournalClosed.md"
    )


def _consumers(service: str, seen: Seen) -> Iterator[Check]:
    for each in seen:
        works = each["consumer"] == f"{service}-worker"
        remedy = (
            "look at its ScaledObject and the log of its worker"
            if works
            else "look at the log of its upkeep, and run"
            " the prepare Job again by helm upgrade if the consumer is not there"
        )
        book = f"{_RUNBOOKS}/Pellicule{'WorkBehind' if works else 'ConsumerBehind'}.md"
        yield Check.of(f"{service}: consumer {each['consumer']}", _stuck(each), remedy, book)


def _stuck(consumer: Mapping[str, Any]) -> str:
    if consumer["waiting"] is None:
        return f"is not there on stream {consumer['stream']}"
    minutes = consumer["idle_seconds"] / 60
    stuck = consumer["waiting"] and consumer["idle_seconds"] > _STUCK_SECONDS
    return f"{consumer['waiting']} wait, and none was taken for {minutes:.0f} minutes" if stuck else ""


def _buckets(service: str, seen: Seen) -> Iterator[Check]:
    for each in seen:
        right, days = each["days"] == [each["expected"]], each["days"]
        has = f"has rules for {days} days" if days else "has no rule"
        wrong = "" if right else f"{has}; it shall delete every object after {each['expected']} days"
        remedy = f"run the Job again: kubectl create job --from=cronjob/RELEASE-{service}-prepare mend-{service}"
        yield Check.of(f"{service}: lifecycle of bucket {each['bucket']}", wrong, remedy)


def _certificates(now: datetime, service: str, seen: Seen) -> Iterator[Check]:
    for each in seen:
        wrong = ending(datetime.fromisoformat(each["ends"]), now)
        remedy = "renew the Secret that is mounted; processes take the new files without a restart"
        yield Check.of(f"{service}: certificate {each['certificate']}", wrong, remedy, CERTIFICATE_EXPIRES)


def _epochs(service: str, seen: Seen) -> Iterator[Check]:
    overdue, age = seen["overdue"], seen["age_seconds"]
    wrong = f"{overdue} are over 7 days old and not ended: older copies of the database can be opened"
    remedy = "look at retention's log for what their keys still wrap"
    yield Check.of(f"{service}: epochs", wrong if overdue else "", remedy, f"{_RUNBOOKS}/PelliculeEpochsOverdue.md")
    wrong = "" if age is not None and age <= _STALE_SECONDS else f"no epoch was begun for {(age or 0) / 3600:.0f} hours"
    yield Check.of(
        f"{service}: newest epoch", wrong, "look at retention's upkeep", f"{_RUNBOOKS}/PelliculeEpochsStale.md"
    )
    unwritten, late = seen["unwritten"], seen["deadlines_overdue"]
    wrong = f"{unwritten} destructions are not in it yet" if unwritten else ""
    yield Check.warned(
        f"{service}: journal is written",
        wrong,
        "ask again in a minute, then look whether its bucket answers",
        f"{_RUNBOOKS}/PelliculeJournalUnwritten.md",
    )
    wrong = f"{late} keys are past their end by over an hour" if late else ""
    yield Check.of(
        f"{service}: deadlines", wrong, "look at retention's upkeep", f"{_RUNBOOKS}/PelliculeDeadlinesOverdue.md"
    )
