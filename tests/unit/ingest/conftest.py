import pytest

from tests.unit.ingest.harness import ALICE, BOB, Harness


@pytest.fixture
def harness() -> Harness:
    harness = Harness()
    for subject in (ALICE, BOB):
        harness.keyring.grant(subject, "CLOUD_PROCESSING")
    return harness
