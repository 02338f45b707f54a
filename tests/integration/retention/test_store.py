from tests.contract.retention.account_suite import AccountDeletions, LostKeys
from tests.contract.retention.erasure_suite import Epochs, MediaErasures, NarrowedBounds, OlderMedia, WholeErasures
from tests.contract.retention.suite import Deadlines, GrantsAndKeys, Withdrawals


class TestGrantsAndKeys(GrantsAndKeys):
    """On PostgreSQL."""


class TestWithdrawals(Withdrawals):
    """On PostgreSQL."""


class TestDeadlines(Deadlines):
    """On PostgreSQL."""


class TestMediaErasures(MediaErasures):
    """On PostgreSQL."""


class TestWholeErasures(WholeErasures):
    """On PostgreSQL."""


class TestOlderMedia(OlderMedia):
    """On PostgreSQL."""


class TestNarrowedBounds(NarrowedBounds):
    """On PostgreSQL."""


class TestEpochs(Epochs):
    """On PostgreSQL."""


class TestAccountDeletions(AccountDeletions):
    """On PostgreSQL."""


class TestLostKeys(LostKeys):
    """On PostgreSQL."""
