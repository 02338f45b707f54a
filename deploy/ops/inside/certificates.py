"""Look at a service's certificate and its authorities, in the files that its processes read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from services.chassis.settings import TlsSettings


def certificates() -> list[Mapping[str, Any]]:
    """Return a row for each: what it is, and when it ends; of several authorities the one that lasts longest."""
    settings = TlsSettings()
    ends = {"own": ends_of(settings.tls_cert_file)[0], "authority": max(ends_of(settings.tls_ca_file))}
    return [{"certificate": name, "ends": end.isoformat()} for name, end in ends.items()]


def ends_of(file: Path) -> Sequence[datetime]:
    """Return when each certificate of a PEM file ends."""
    return [each.not_valid_after_utc for each in x509.load_pem_x509_certificates(file.read_bytes())]
