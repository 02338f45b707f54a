"""The way to one model: how much may be on it, whether it is open, and what the server last said of it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from inference.client.breaker import Breaker
from inference.client.clock import Clock
from inference.client.limit import AdaptiveLimit, Gate
from inference.client.retries import Patience, RetryBudget
from inference.client.tensors import Facts

SLOW_MODELS: Final[Mapping[str, Patience]] = {"restyler": Patience(place=60.0, answer=60.0, first_retry=0.5)}
"""Models that take seconds for an answer; the others take milliseconds."""


class Lane:
    """The way to one model.

    Attributes:
        model: Its name.
        patience: How long is waited.
        gate: Who is on the way.
        breaker: Whether it is open.
        budget: Pays for retries.
        facts: What the server said of the model; None before it was asked, and when it may be another server.
        asking: Held by whoever asks the server what it serves.
        probe: The one question that a half-open breaker lets through; None when none was ever asked.
    """

    def __init__(self, model: str, patience: Patience, clock: Clock) -> None:
        self.model = model
        self.patience = patience
        self.gate = Gate(clock, AdaptiveLimit(1))
        self.breaker = Breaker(clock)
        self.budget = RetryBudget()
        self.facts: Facts | None = None
        self.asking = asyncio.Lock()
        self.probe: asyncio.Task[None] | None = None

    def learn(self, facts: Facts) -> Facts:
        """Notes what the server says of the model, and how much it can carry."""
        self.facts = facts
        self.gate.limit.set_ceiling(facts.most_in_flight, 2 * facts.instances)
        self.gate.admit()
        return facts


class Lanes:
    """The lanes of a client, made when first needed."""

    def __init__(self, clock: Clock, patience: Patience, exceptions: Mapping[str, Patience]) -> None:
        self._make: Callable[[str], Lane] = lambda model: Lane(model, exceptions.get(model, patience), clock)
        self._lanes: dict[str, Lane] = {}

    def __getitem__(self, model: str) -> Lane:
        if model not in self._lanes:
            self._lanes[model] = self._make(model)
        return self._lanes[model]

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())
