"""Look at a service's buckets: after how many days each deletes an object by itself, and after how many it shall."""

import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from minio import Minio

from services.chassis.bucket_lifecycle import expiry_days
from services.chassis.certificates.trust import checked
from services.chassis.settings import ObjectStoreSettings

_BACKSTOP_DAYS, _BACKSTOP_AFTER_DAYS = 32, 2
"""The services' own; a test holds them against their settings."""
_SECONDS = 10


def backstop_days(environment: Mapping[str, str]) -> int:
    """Return the age at which the service of this environment has its bucket delete an object by itself."""
    retention = environment.get("PELLICULE_RETENTION_DAYS")
    known = _BACKSTOP_DAYS if retention is None else int(retention) + _BACKSTOP_AFTER_DAYS
    return int(environment.get("PELLICULE_BACKSTOP_DAYS", known))


def buckets(names: Iterable[str]) -> list[Mapping[str, Any]]:
    """Return a row for each bucket."""
    settings, expected = ObjectStoreSettings(), backstop_days(os.environ)
    with urllib3.PoolManager(timeout=_SECONDS, retries=1, ca_certs=checked(settings.s3_ca_file)) as http:
        client = _client(settings, http)
        return [{"bucket": name, "days": expiry_days(client, name), "expected": expected} for name in names]


def _client(settings: ObjectStoreSettings, http: urllib3.PoolManager) -> Minio:
    endpoint = urlsplit(settings.s3_endpoint)
    return Minio(
        endpoint=endpoint.netloc,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
        secure=endpoint.scheme == "https",
        region=settings.s3_region,
        http_client=http,
    )
