import pytest

from services.chassis.database import Pool
from services.chassis.orphans import PostgresWalks
from tests.contract.chassis.walks_suite import WalksSuite


class TestPostgresWalks(WalksSuite):
    @pytest.fixture
    def walks(self, pool: Pool) -> PostgresWalks:
        return PostgresWalks(pool)
