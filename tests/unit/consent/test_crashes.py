"""Books and keys agree again after any sequence of decisions, crashes, silences and time."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import Choice, Decision, Status
from services.consent.domain.needs import with_dependants
from services.consent.errors import PurposeNeedsAnother
from services.consent.operations.read_state import read_state
from services.keyring import Purpose
from tests.fakes.consent import Crash
from tests.unit.consent.harness import ADA, POLICY, Service

T = TypeVar("T")
_CHOICES = st.dictionaries(st.sampled_from(sorted(POLICY().offered)), st.sampled_from(Choice), min_size=1, max_size=3)
_WITH_THE_BASE = _CHOICES.map(lambda chosen: {Purpose.CLOUD_PROCESSING: Choice.GRANT} | chosen)
_DECISIONS = st.one_of(_CHOICES, _WITH_THE_BASE).map(lambda chosen: [Decision(*item) for item in chosen.items()])
_FAULTS = st.sampled_from(["none", "silent", "deaf", "begin", "finish"])
_PURPOSES = st.lists(st.sampled_from(Purpose), min_size=1, max_size=2, unique=True)


class Consenting(RuleBasedStateMachine):
    """A person who decides while servers fail.

    `confirmed` holds the grants that a call confirmed to the person; `promised` what a failed withdrawal said
    would end all the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.service = Service()
        self.confirmed: set[Purpose] = set()
        self.promised: set[Purpose] = set()

    def teardown(self) -> None:
        self.runner.close()

    @initialize()
    def open(self) -> None:
        self._run(self.service.open())

    @rule(decisions=_DECISIONS, fault=_FAULTS)
    def decide(self, decisions: list[Decision], fault: str) -> None:
        try:
            self._run_with(fault, self.service.decide(*decisions))
        except (Crash, DependencyUnavailable, PurposeNeedsAnother):
            return
        self._confirm()

    @rule(purposes=_PURPOSES, fault=_FAULTS)
    def withdraw(self, purposes: list[Purpose], fault: str) -> None:
        try:
            self._run_with(fault, self.service.withdraw(*purposes))
        except DependencyUnavailable:
            self.promised.update(with_dependants(purposes))
        except Crash:
            return
        else:
            assert not set(purposes) & self._granted()
            assert not set(purposes) & self._keys()
            self._confirm()

    @rule(days=st.integers(1, 200))
    def let_time_pass(self, days: int) -> None:
        self._run(self.service.clock.advance(timedelta(days=days)))

    @rule()
    def reconcile(self) -> None:
        self._run(self.service.clock.advance(60))
        self._run(self.service.sweep())
        self._run(self.service.expire())
        assert self._granted() == self._keys()
        assert not self._granted() & self.promised
        self._confirm()

    @invariant()
    def nothing_stands_that_was_not_confirmed(self) -> None:
        assert self._granted() <= self.confirmed

    @invariant()
    def revisions_only_grow(self) -> None:
        events = self._run(self.service.store.events(ADA, below=None, limit=1000))
        revisions = [event.revision for event in events]
        assert revisions == sorted(set(revisions), reverse=True)

    def _granted(self) -> set[Purpose]:
        state = self._run(read_state(ADA, self.service.dependencies))
        return {row.purpose for row in state.purposes if row.status is Status.GIVEN}

    def _keys(self) -> set[Purpose]:
        return set(map(Purpose, self.service.keys.of(ADA)))

    def _confirm(self) -> None:
        self.confirmed, self.promised = self._granted(), set()

    def _run_with(self, fault: str, work: Coroutine[object, object, T]) -> T:
        keys, store = self.service.keys, self.service.store
        keys.silent, keys.deaf = fault == "silent", fault == "deaf"
        store.crash_at = fault if fault in {"begin", "finish"} else None
        try:
            return self._run(work)
        finally:
            keys.silent = keys.deaf = False
            store.crash_at = None

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)


Consenting.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_books_and_keys_agree_again = Consenting.TestCase
