from datetime import datetime, timedelta

import pytest

from tests.contract.keyring.suite import KeyringSuite
from tests.fakes.clock import FakeClock
from tests.fakes.keyring import FakeKeyring


class FakeHarness:
    def __init__(self) -> None:
        self._clock = FakeClock()
        self.keyring = FakeKeyring(self._clock)

    def now(self) -> datetime:
        return self._clock.now()

    async def grant(self, subject: str, purpose: str, reach_back: datetime | None = None) -> int:
        return self.keyring.grant(subject, purpose, reach_back=reach_back)

    async def withdraw(self, subject: str, purpose: str) -> None:
        self.keyring.destroy_purpose(subject, purpose)

    async def erase_media(self, subject: str, media: str) -> None:
        self.keyring.destroy_media(subject, media)

    async def erase_everything(self, subject: str) -> None:
        self.keyring.destroy_subject(subject)

    async def pass_time(self, by: timedelta) -> None:
        await self._clock.advance(by)


@pytest.fixture
def keyring_harness() -> FakeHarness:
    return FakeHarness()


class TestFakeKeyring(KeyringSuite):
    """The fake keeps the promises that the real one keeps."""
