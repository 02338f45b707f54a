"""Checks of a release's certificates, by what cert-manager says of them; no Secret is read."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from deploy.ops.checks.check import Check
from deploy.ops.checks.cluster import Cluster, Document
from deploy.ops.checks.scope import Scope

SOON = timedelta(days=7)
RUNBOOK = "docs/runbooks/PelliculeCertificateExpires.md"


def certificates(cluster: Cluster, scope: Scope, now: datetime) -> Iterator[Check]:
    """Yield a check for each Certificate; none where cert-manager is not there."""
    for each in cluster.items(scope.path("cert-manager.io/v1", "certificates"), scope.labels):
        name = each["metadata"]["name"]
        remedy = f"kubectl describe --namespace {scope.namespace} certificate/{name}, and look at its issuer"
        yield Check.of(f"certificate {name}", _wrong(each, now), remedy, RUNBOOK)


def ending(end: datetime, now: datetime) -> str:
    """Return what is wrong with a certificate that ends then; nothing if that is long."""
    if end <= now:
        return f"has expired on {end:%Y-%m-%d %H:%M} UTC"
    return f"expires on {end:%Y-%m-%d %H:%M} UTC" if end - now <= SOON else ""


def _wrong(certificate: Document, now: datetime) -> str:
    status = certificate.get("status", {})
    end = status.get("notAfter")
    ended = "" if end is None else ending(datetime.fromisoformat(end), now)
    ready = [each for each in status.get("conditions", []) if each["type"] == "Ready"]
    if not any(each["status"] == "True" for each in ready):
        why = ready[0].get("message", "") if ready else "no issuer has looked at it"
        return f"{ended or 'is not ready'}: {why}"
    # A short-lived one is renewed after two thirds of its life: only when that is over is it late.
    renewal = status.get("renewalTime")
    return "" if ended and renewal and datetime.fromisoformat(renewal) > now else ended
