from pathlib import Path

import pytest

from tests.contract.retention.account_suite import AccountDeletions, LostKeys
from tests.contract.retention.erasure_suite import Epochs, MediaErasures, NarrowedBounds, OlderMedia, WholeErasures
from tests.contract.retention.harness import RetentionHarness, new_harness
from tests.contract.retention.suite import Deadlines, GrantsAndKeys, Withdrawals
from tests.fakes.clock import FakeClock
from tests.fakes.retention_store import FakeStore


@pytest.fixture
async def harness(tmp_path: Path) -> RetentionHarness:
    return await new_harness(FakeStore(), tmp_path, FakeClock())


class TestGrantsAndKeys(GrantsAndKeys):
    """On the fake."""


class TestWithdrawals(Withdrawals):
    """On the fake."""


class TestDeadlines(Deadlines):
    """On the fake."""


class TestMediaErasures(MediaErasures):
    """On the fake."""


class TestWholeErasures(WholeErasures):
    """On the fake."""


class TestOlderMedia(OlderMedia):
    """On the fake."""


class TestNarrowedBounds(NarrowedBounds):
    """On the fake."""


class TestEpochs(Epochs):
    """On the fake."""


class TestAccountDeletions(AccountDeletions):
    """On the fake."""


class TestLostKeys(LostKeys):
    """On the fake."""
