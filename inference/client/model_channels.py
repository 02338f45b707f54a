"""Model channels: for each model its limit, its breaker, its retry budget, and what the server last said of it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from inference.client.breaker import Breaker
from inference.client.clock import Clock
from inference.client.limit import AdaptiveLimit, Gate
from inference.client.retries import RetryBudget, Timeouts
from inference.client.tensors import Facts

SLOW_MODELS: Final[Mapping[str, Timeouts]] = {"restyler": Timeouts(queue=60.0, response=60.0, first_retry=0.5)}
"""Models that take seconds for a response; the others take milliseconds."""


class ModelChannel:
    """What the client keeps of one model.

    Attributes:
        model: Its name.
        timeouts: How long is waited.
        gate: Its requests in flight.
        breaker: Whether calls may go.
        budget: Pays for retries.
        facts: What the server said of the model; None before it was asked, and when it may be another server.
        learning: Held while the server is asked what it serves.
        probing: The one probe that a half-open breaker lets through; None when none was ever sent.
    """

    def __init__(self, model: str, timeouts: Timeouts, clock: Clock) -> None:
        self.model = model
        self.timeouts = timeouts
        self.gate = Gate(clock, AdaptiveLimit(1))
        self.breaker = Breaker(clock)
        self.budget = RetryBudget()
        self.facts: Facts | None = None
        self.learning = asyncio.Lock()
        self.probing: asyncio.Task[None] | None = None

    def learn(self, facts: Facts) -> Facts:
        """Notes what the server says of the model, and how much it can carry."""
        self.facts = facts
        self.gate.limit.set_ceiling(facts.most_in_flight, 2 * facts.instances)
        self.gate.admit()
        return facts


class ModelChannels:
    """The channels of a client, made when first needed."""

    def __init__(self, clock: Clock, timeouts: Timeouts, exceptions: Mapping[str, Timeouts]) -> None:
        self._make: Callable[[str], ModelChannel] = lambda model: ModelChannel(
            model, exceptions.get(model, timeouts), clock
        )
        self._channels: dict[str, ModelChannel] = {}

    def __getitem__(self, model: str) -> ModelChannel:
        if model not in self._channels:
            self._channels[model] = self._make(model)
        return self._channels[model]

    def __iter__(self) -> Iterator[ModelChannel]:
        return iter(self._channels.values())
