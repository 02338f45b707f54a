import pytest

from tests.unit.consent.harness import Service


@pytest.fixture
async def service() -> Service:
    made = Service()
    await made.open()
    return made
