"""What an upload costs on this machine, held against raw puts into the same store."""

from tests.e2e.harness import RunningStack

FIELDS = {"name", "value", "unit", "limit", "ratio", "goal", "holds", "uncertainty", "rounds"}


def test_sealed_and_durable_photos_go_in_at_half_the_speed_of_raw_puts(stack: RunningStack) -> None:
    [row] = stack.rows("bench", "upload")
    assert set(row) == FIELDS
    assert (row["name"], row["unit"], row["goal"]) == ("upload", "photos/s", 0.5)
    assert row["holds"], row
