from typing import cast

import pytest

from services.chassis.calls import Call, Context, Method, enter_call, seconds_left
from services.chassis.interceptors import Deadlines

METHOD = Method("/pellicule.ingest.v1.MediaService/WatchMedia", streams_responses=True, streams_requests=False)


class CallerWith:
    """A caller who gives up after a time, of which the server is told with three digits, rounded up."""

    def __init__(self, told: float) -> None:
        self._told = told

    def time_remaining(self) -> float:
        """Return the time that the server is told."""
        return self._told


@pytest.mark.parametrize(("gives_up_after", "told"), [(0.3, 0.3), (1.001, 1.01), (12.001, 12.1), (100.1, 101.0)])
async def test_a_service_gives_up_before_its_caller(gives_up_after: float, told: float) -> None:
    enter_call(Call(METHOD.name, "1"))
    async with Deadlines().around(METHOD, cast("Context", CallerWith(told))):
        left = seconds_left()
    assert left is not None
    assert 0.8 * gives_up_after < left < gives_up_after - 0.04
