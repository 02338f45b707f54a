import pytest

from services.chassis.database import Pool
from services.chassis.set_aside import Item, PostgresSetAside, forget_person
from tests.contract.chassis.set_aside_suite import NOW, SetAsideSuite


class TestPostgresSetAside(SetAsideSuite):
    @pytest.fixture
    def set_aside(self, pool: Pool) -> PostgresSetAside:
        return PostgresSetAside(pool)


async def test_what_is_set_aside_goes_with_its_person(pool: Pool) -> None:
    set_aside = PostgresSetAside(pool)
    await set_aside.put("order", Item("1", "ada"), "KeyError", NOW)
    await set_aside.put("order", Item("2", "bob"), "KeyError", NOW)
    async with pool.connection() as connection:
        await forget_person(connection, "ada")
    assert [each.item for each in await set_aside.all()] == ["2"]
