"""Steps of the smoke test: each is a line when it is done, and says what to look at when it fails."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from services.chassis.clock import Clock
from services.cli.output import CommandFailed, from_rpc


class StepFailed(Exception):
    """A step of the test did not do what it should; its text names the step, the reason and the remedy."""


class Steps:
    """The steps of one run.

    Args:
        clock: Says how long each took.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @contextmanager
    def step(self, name: str, *, remedy: str) -> Iterator[None]:
        """Do a step, and print that it is done.

        Args:
            name: What is done.
            remedy: What to look at if it fails.

        Raises:
            StepFailed: it does.
        """
        began = self._clock.monotonic()
        try:
            yield
        except grpc.aio.AioRpcError as error:
            failure = from_rpc(error)
            raise StepFailed(f"{name}: {failure.reason}: {error.details()}; {remedy}") from error
        except CommandFailed as failure:
            raise StepFailed(f"{name}: {failure.reason}: {failure.message}; {remedy}") from failure
        sys.stdout.write(f"ok  {name} ({self._clock.monotonic() - began:.1f} s)\n")
        sys.stdout.flush()
