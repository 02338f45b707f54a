"""A watch says SERVING for as long as rounds are well, and gives a server up only after a time without one."""

from collections.abc import Sequence

import pytest

from inference.canary.rounds import Finding, Outcome
from inference.canary.watch import LIVENESS, READINESS, Pace, Watch, is_well, wait_until_well
from tests.fakes.clock import FakeClock

PATIENCE = 120.0


def found(*outcomes: Outcome) -> tuple[Finding, ...]:
    return tuple(Finding(f"model_{index}", outcome, "", "", 0.1) for index, outcome in enumerate(outcomes))


class Server:
    """A server whose models answer as a test says."""

    def __init__(self, outcome: Outcome = Outcome.RIGHT) -> None:
        self.outcome = outcome
        self.due = False
        self.told: list[Sequence[Finding]] = []

    async def ask(self) -> Sequence[Finding]:
        return found(self.outcome, Outcome.ALIVE)

    async def is_due(self) -> bool:
        return self.due


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def watch(server: Server, clock: FakeClock) -> Watch:
    return Watch(server.ask, server.told.append, clock, Pace(15, PATIENCE), server.is_due)


def test_no_model_at_all_is_not_well() -> None:
    assert [is_well(found(Outcome.RIGHT, Outcome.ALIVE)), is_well(found(Outcome.WRONG)), is_well(())] == [
        True,
        False,
        False,
    ]


async def test_callers_may_come_after_a_round_that_was_well(watch: Watch, server: Server) -> None:
    await watch.round()
    after_right = watch.states[READINESS]
    server.outcome = Outcome.WRONG
    await watch.round()

    assert [after_right, watch.states[READINESS]] == [True, False]


async def test_a_server_is_given_up_only_after_a_time_without_a_round_that_was_well(
    watch: Watch, server: Server, clock: FakeClock
) -> None:
    await watch.round()
    server.outcome = Outcome.WRONG
    states = []
    for seconds in (PATIENCE - 1, 1):
        await clock.advance(seconds)
        await watch.round()
        states.append(watch.states[LIVENESS])
    server.outcome = Outcome.RIGHT
    await watch.round()

    assert [*states, watch.states[LIVENESS]] == [True, False, True]


async def test_a_server_that_is_due_is_given_up_however_well_it_answers(watch: Watch, server: Server) -> None:
    server.due = True
    await watch.round()

    assert [watch.states[READINESS], watch.states[LIVENESS]] == [True, False]


async def test_only_what_changes_is_told(watch: Watch, server: Server) -> None:
    for outcome in (Outcome.RIGHT, Outcome.RIGHT, Outcome.WRONG, Outcome.WRONG, Outcome.RIGHT):
        server.outcome = outcome
        await watch.round()

    assert [findings[0].outcome for findings in server.told] == [Outcome.RIGHT, Outcome.WRONG, Outcome.RIGHT]


async def test_a_rollout_waits_until_all_is_well_and_no_longer_than_it_was_told(clock: FakeClock) -> None:
    rounds = [found(Outcome.WRONG), found(Outcome.RIGHT)]

    async def ask() -> Sequence[Finding]:
        await clock.advance(1)
        return rounds.pop(0) if len(rounds) > 1 else rounds[0]

    assert is_well(await wait_until_well(ask, clock, seconds=10, every=0))
    rounds[0] = found(Outcome.WRONG)
    assert not is_well(await wait_until_well(ask, clock, seconds=3, every=0))
