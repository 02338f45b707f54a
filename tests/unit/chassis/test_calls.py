import asyncio

from services.chassis.calls import Call, current_call, enter_call, own_deadline, seconds_left


async def test_what_is_put_in_order_has_a_deadline_of_its_own() -> None:
    spent = Call("/s/M", "request-1", expires_at=asyncio.get_running_loop().time() - 1)
    enter_call(spent)
    with own_deadline(5):
        inside, call = seconds_left(), current_call()
    assert inside is not None
    assert 4 < inside <= 5
    assert call is not None
    assert call.request_id == "request-1"
    assert current_call() is spent


async def test_a_deadline_of_its_own_needs_no_call() -> None:
    async def left() -> float | None:
        with own_deadline(5):
            return seconds_left()

    assert await asyncio.create_task(left()) is not None
