"""What `pellicule bench keys` asks of this service, on a few keys."""

import json
from pathlib import Path

import pytest

from services.chassis.database import Pool
from services.chassis.settings import DatabaseSettings
from services.retention import bench
from services.retention.operations.wrap_data_keys import BATCH


async def test_it_prints_rounds_of_both_rates(
    pool: Pool,
    database: DatabaseSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sizes = {"PERSONS": 3, "KEYS_OF_A_PERSON": BATCH, "ROUNDS": 2, "PORTIONS": 1}
    for name, value in sizes.items():
        monkeypatch.setattr(bench, name, value)

    await bench.measure(database.database_url.get_secret_value(), tmp_path)

    rounds = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {name: len(rates) for name, rates in rounds.items()} == {"rewraps": 2, "updates": 3}
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) FROM data_key WHERE epoch = 'elsewhere'")
        assert await cursor.fetchall() == [(3 * BATCH,)], "each round moved what it wrapped anew"
