import pytest

from services.chassis.database import Pool
from services.chassis.failed_work.set_aside import PostgresSetAside
from tests.contract.chassis.set_aside_suite import SetAsideSuite


class TestPostgresSetAside(SetAsideSuite):
    @pytest.fixture
    def set_aside(self, pool: Pool) -> PostgresSetAside:
        return PostgresSetAside(pool)
