"""What serving costs on this machine, and what the server bears: the whole bench, its soak included."""

import pytest

from services.cli.bench.inference import GOAL, MAIN_MODELS
from tests.e2e.harness import RunningStack

FIELDS = {"name", "value", "unit", "limit", "ratio", "goal", "holds"}


@pytest.mark.timeout(1800)
def test_the_server_is_quick_enough_and_bears_what_comes(stack: RunningStack) -> None:
    rows = stack.rows("bench", "inference", seconds=1700)

    by_name = {str(row["name"]): row for row in rows}
    served = [name for name in by_name if name.startswith("serve.")]
    assert [str(row["name"]) for row in rows][: len(served)] == served
    assert all(set(row) >= FIELDS for row in rows)
    assert {by_name[name]["goal"] for name in served} == {GOAL}
    assert {f"{what}.{model}" for what in ("serve", "poisson", "burst") for model in MAIN_MODELS} < set(by_name)
    assert by_name["soak"]["seconds"] == 600
    assert all(row["holds"] for row in rows), [row for row in rows if not row["holds"]]
