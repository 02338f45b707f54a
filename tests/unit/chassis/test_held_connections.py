import asyncio

import pytest

from services.chassis.held_connections import check_none_is_held, holding


def test_a_call_without_a_connection_passes() -> None:
    with holding():
        pass
    check_none_is_held("retention")


def test_a_call_with_a_connection_in_hand_is_said() -> None:
    with holding(), pytest.raises(AssertionError, match="connection_held"):
        check_none_is_held("retention")


async def test_a_task_started_meanwhile_counts_until_the_connection_is_given_back() -> None:
    given_back = asyncio.Event()

    async def call_later() -> None:
        with pytest.raises(AssertionError):
            check_none_is_held("retention")
        await given_back.wait()
        check_none_is_held("retention")

    with holding():
        calling = asyncio.create_task(call_later())
        await asyncio.sleep(0)
    given_back.set()
    await calling


async def test_other_tasks_hold_nothing() -> None:
    async def call() -> None:
        check_none_is_held("retention")

    calling = asyncio.create_task(call())
    with holding():
        await calling
