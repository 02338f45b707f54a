import pytest

from pellicule.analysis.v1 import error_reason_pb2 as analysis
from pellicule.consent.v1 import error_reason_pb2 as consent
from pellicule.ingest.v1 import error_reason_pb2 as ingest
from pellicule.retention.v1 import error_reason_pb2 as retention
from pellicule.suggestion.v1 import error_reason_pb2 as suggestion
from services.chassis.errors import CHASSIS_ERRORS


@pytest.mark.parametrize("package", [analysis, consent, ingest, retention, suggestion])
def test_every_package_lists_what_the_chassis_answers(package: object) -> None:
    listed = set(package.ErrorReason.keys())  # type: ignore[attr-defined]
    assert {f"ERROR_REASON_{error.reason}" for error in CHASSIS_ERRORS} <= listed
