"""Retry policy: how often, and how long apart, a request is sent again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from inference.client.clock import Clock
from inference.client.error_classes import ErrorClass, Failed

MARGIN: Final = 0.05
"""Seconds of what is left that are kept for what comes after a response."""
_ATTEMPTS: Final = 3
_LONGEST_PAUSE: Final = 1.0

T = TypeVar("T")


@dataclass(frozen=True)
class CallPolicy:
    """How a model is called.

    Attributes:
        queue: Longest wait for a slot among the requests in flight, in seconds.
        response: Longest wait for the outputs, retries included, in seconds.
        first_retry: Up to this long before the first retry, in seconds; doubles.
        batches_in_flight: For each instance: one at work, and others behind it.
        most_waiting: Calls that may wait for a slot; the next one is refused at once. None for any number.
    """

    queue: float = 20.0
    response: float = 10.0
    first_retry: float = 0.1
    batches_in_flight: int = 2
    most_waiting: int | None = None


class RetryBudget:
    """Keeps retries to a share of the requests, so that they cannot make an outage worse."""

    def __init__(self, *, share: float = 0.2, burst: float = 10.0) -> None:
        """Fill the budget.

        Args:
            share: Retries that each request pays for.
            burst: Retries that can be saved up.
        """
        self._share = share
        self._burst = burst
        self._saved = burst

    def earn(self) -> None:
        """Note a request."""
        self._saved = min(self._burst, self._saved + self._share)

    def spend(self) -> bool:
        """Return whether a retry may be made, and take it from the budget."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True


async def attempt(
    call: Callable[[float], Awaitable[T]],
    *,
    deadline: float,
    first_retry: float,
    budget: RetryBudget,
    clock: Clock,
    retried: Callable[[], None],
) -> T:
    """Call, and calls again at most twice where the table says that it helps, with full jitter in between.

    Args:
        call: Gets the seconds that it has.
        deadline: Nothing is begun after it, nor a pause that would end after it; on the clock.
        first_retry: Up to this long before the first retry, in seconds; doubles.
        budget: What retries are paid from.
        clock: The process's clock.
        retried: Told before each retry.

    Raises:
        Failed: of the last attempt.
    """
    budget.earn()

    def gives_up(state: RetryCallState) -> bool:
        too_late = clock.monotonic() + state.upcoming_sleep + MARGIN >= deadline
        return state.attempt_number >= _ATTEMPTS or too_late or not budget.spend()

    async def once() -> T:
        return await call(max(deadline - clock.monotonic() - MARGIN, 0.001))

    attempts = AsyncRetrying(
        stop=gives_up,
        wait=wait_random_exponential(first_retry, max=_LONGEST_PAUSE),
        retry=retry_if_exception(lambda error: isinstance(error, Failed) and error.error_class is ErrorClass.RETRY),
        before_sleep=lambda _: retried(),
        sleep=clock.sleep,
        reraise=True,
    )
    return await attempts(once)
