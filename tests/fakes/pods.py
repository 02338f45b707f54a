"""Pods in memory: what each service says of itself when it is asked, as `deploy.ops.inside` writes it."""

import json
from collections.abc import Sequence
from typing import Any

from deploy.declarations import DECLARATIONS
from deploy.ops.checks.cluster import ReadRefused
from deploy.ops.inside.consumers import consumers_of
from deploy.ops.pods import CommandLost, Container, Ran


class FakePods:
    """Implements `deploy.ops.pods.Pods`."""

    def __init__(self) -> None:
        self.rows = {service: _healthy(service) for service in DECLARATIONS}
        self.answers: dict[str, Ran] = {}
        self.ran: list[tuple[Container, tuple[str, ...]]] = []
        self.lost = self.refused = False

    def run(self, container: Container, command: Sequence[str], seconds: float) -> Ran:
        if self.refused:
            raise ReadRefused("pods/exec")
        if self.lost:
            raise CommandLost("the pod has gone")
        self.ran.append((container, tuple(command)))
        said = (json.dumps({"look": look, "seen": seen}) for look, seen in self.rows.get(container.name, {}).items())
        return self.answers.get(container.name) or Ran(0, "".join(f"{each}\n" for each in said), "")


def _healthy(service: str) -> dict[str, Any]:
    names = consumers_of(service)
    rows: dict[str, Any] = {
        "failed": {"dead_letters": 0, "set_aside": 0},
        "journal": {"journal": "j1", "position": 41, "newest": 41, "unread_seconds": None},
        "certificates": [{"certificate": name, "ends": "2030-01-01T00:00:00+00:00"} for name in ("own", "authority")],
        "consumers": [_consumer(stream, name) for stream, name in names],
        "buckets": [{"bucket": name, "days": [32], "expected": 32} for name in DECLARATIONS[service].owns],
    }
    epochs = {"live": 8, "overdue": 0, "age_seconds": 3600.0, "unwritten": 0, "deadlines_overdue": 0}
    return {**rows, "epochs": epochs} if DECLARATIONS[service].records else rows


def _consumer(stream: str, name: str) -> dict[str, Any]:
    return {"consumer": name, "stream": stream, "waiting": 0, "idle_seconds": 86400.0}
