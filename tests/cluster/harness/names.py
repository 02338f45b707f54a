"""Names of the cell under test, as deploy/environments/development.yaml has them."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
NAMESPACE: Final = "pellicule"
RELEASE: Final = "pellicule"
INFERENCE: Final = "pellicule-inference"
ISSUER_OBJECT: Final = "pellicule"
"""cert-manager's issuer of the services' certificates."""
PHONES: Final = "phones"
"""Namespace of those who call from outside the cell."""

SERVICE_IMAGE: Final = "kind.local/pellicule:test"
TRITON_IMAGE: Final = "kind.local/pellicule-triton:test"
PLATFORM_IMAGE: Final = "kind.local/pellicule-platform:test"

ISSUER: Final = "pellicule-local"
AUDIENCE: Final = "pellicule"
