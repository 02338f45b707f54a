"""Model channels: for each model its limit, its breaker, its retry budget, and what the server last said of it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from inference.client.breaker import Breaker
from inference.client.clock import Clock
from inference.client.limit import AdaptiveLimit, Gate
from inference.client.retries import CallPolicy, RetryBudget
from inference.client.tensors import Facts

SLOW_MODELS: Final[Mapping[str, CallPolicy]] = {
    "restyler": CallPolicy(queue=120.0, response=1800.0, first_retry=0.5, batches_in_flight=1, most_waiting=8)
}
"""Models that take seconds for a response, on all cores; the others take milliseconds."""


class ModelChannel:
    """What the client keeps of one model.

    Attributes:
        model: Its name.
        policy: How it is called.
        gate: Its requests in flight.
        breaker: Whether calls may go.
        budget: Pays for retries.
        facts: What the server said of the model; None before it was asked, and when it may be another server.
        learning: Held while the server is asked what it serves.
        probing: The one probe that a half-open breaker lets through; None when none was ever sent.
    """

    def __init__(self, model: str, policy: CallPolicy, clock: Clock) -> None:
        self.model = model
        self.policy = policy
        self.gate = Gate(clock, AdaptiveLimit(1), policy.most_waiting)
        self.breaker = Breaker(clock)
        self.budget = RetryBudget()
        self.facts: Facts | None = None
        self.learning = asyncio.Lock()
        self.probing: asyncio.Task[None] | None = None

    def learn(self, facts: Facts) -> Facts:
        """Note what the server says of the model, and how much it can carry."""
        self.facts = facts
        ceiling = self.policy.batches_in_flight * max(facts.largest_batch, 1) * facts.instances
        self.gate.limit.set_ceiling(ceiling, 2 * facts.instances)
        self.gate.admit()
        return facts


class ModelChannels:
    """The channels of a client, made when first needed."""

    def __init__(self, clock: Clock, policy: CallPolicy, exceptions: Mapping[str, CallPolicy]) -> None:
        self._make: Callable[[str], ModelChannel] = lambda model: ModelChannel(
            model, exceptions.get(model, policy), clock
        )
        self._channels: dict[str, ModelChannel] = {}

    def __getitem__(self, model: str) -> ModelChannel:
        if model not in self._channels:
            self._channels[model] = self._make(model)
        return self._channels[model]

    def __iter__(self) -> Iterator[ModelChannel]:
        return iter(self._channels.values())
