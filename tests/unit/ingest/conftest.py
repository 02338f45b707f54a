import pytest

from tests.unit.ingest.room import ALICE, BOB, Room


@pytest.fixture
def room() -> Room:
    room = Room()
    for subject in (ALICE, BOB):
        room.keyring.grant(subject, "CLOUD_PROCESSING")
    return room
