"""A server that shows an old certificate is due at its own time, and one that is away is not blamed."""

import pytest

from inference.canary.renewal import Renewal
from tests.fakes.clock import FakeClock


class ServerCertificate:
    """A server whose certificate a test changes."""

    def __init__(self) -> None:
        self.certificate: bytes | None = b"old"

    async def __call__(self) -> bytes:
        if self.certificate is None:
            raise ConnectionRefusedError
        return self.certificate


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_the_certificate_that_was_given_is_never_due(clock: FakeClock) -> None:
    renewal = Renewal(ServerCertificate(), lambda: b"old", 0, clock)

    assert not await renewal.is_due()


async def test_an_old_one_is_due_once_its_delay_is_over(clock: FakeClock) -> None:
    renewal = Renewal(ServerCertificate(), lambda: b"new", 600, clock)

    before = await renewal.is_due()
    await clock.advance(599)
    still = await renewal.is_due()
    await clock.advance(1)

    assert [before, still, await renewal.is_due()] == [False, False, True]


async def test_a_server_that_has_started_again_is_due_no_more(clock: FakeClock) -> None:
    shown = ServerCertificate()
    renewal = Renewal(shown, lambda: b"new", 600, clock)
    await renewal.is_due()
    await clock.advance(600)
    assert await renewal.is_due()

    shown.certificate = b"new"

    assert not await renewal.is_due()


async def test_one_that_does_not_answer_shows_nothing_old(clock: FakeClock) -> None:
    shown = ServerCertificate()
    shown.certificate = None

    assert not await Renewal(shown, lambda: b"new", 0, clock).is_due()
