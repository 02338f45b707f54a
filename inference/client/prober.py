"""Prober: one probe at a time finds out whether a server has recovered; all other calls wait for its outcome."""

import asyncio
from collections.abc import Iterable

import structlog

from inference.client.breaker import State
from inference.client.error_classes import ErrorClass, Failed
from inference.client.errors import ModelAnswerBroken, ModelUnavailable
from inference.client.model_channels import ModelChannel
from inference.client.probes import Probe, Probes
from inference.client.tensors import Tensors
from inference.client.wire import Wire
from inference.model_build.errors import GoldenMismatch

_log = structlog.stdlib.get_logger()


class Prober:
    """Guards the breakers of a client."""

    def __init__(self, wire: Wire, probes: Probes) -> None:
        """Guards.

        Args:
            wire: The way to the server.
            probes: What is sent to it.
        """
        self._wire = wire
        self._probes = probes

    async def pass_breaker(self, channel: ModelChannel) -> None:
        """Return if calls may go; where the breaker is half open, after a probe has succeeded.

        Raises:
            ModelUnavailable: it is open, or the probe failed.
        """
        if channel.breaker.state is State.HALF_OPEN:
            if channel.probing is None or channel.probing.done():
                channel.probing = asyncio.create_task(self._probe(channel))
            await asyncio.shield(channel.probing)
        if channel.breaker.state is not State.CLOSED:
            message = "the server failed again and again; it is left alone for a while"
            raise ModelUnavailable(channel.model, message, channel.breaker.open_for())

    async def end(self, channels: Iterable[ModelChannel]) -> None:
        """End the probes that are under way."""
        probes = [channel.probing for channel in channels if channel.probing is not None]
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)

    async def _probe(self, channel: ModelChannel) -> None:
        """Close the breaker, or open it for longer."""
        if await self._is_well(channel):
            channel.breaker.succeed()
            _log.info("model_recovered", model=channel.model)
        else:
            channel.breaker.trip()

    async def _is_well(self, channel: ModelChannel) -> bool:
        channel.facts = None
        seconds = channel.policy.response / 2
        try:
            facts = await self._wire.facts(channel.model, seconds=seconds)
            well = await self._send(channel.model, self._probes(facts), seconds)
        except (Failed, ModelAnswerBroken, GoldenMismatch) as error:
            _log.warning("model_still_unavailable", model=channel.model, error=str(error))
            return False
        if well:
            channel.learn(facts)
        return well

    async def _send(self, model: str, probe: Probe, seconds: float) -> bool:
        """Send a probe; a blank one may be refused, which only a live model does."""
        try:
            arrays: Tensors = await self._wire.infer(model, probe.inputs, probe.outputs, seconds=seconds)
        except Failed as failed:
            if probe.golden is None and failed.error_class in (ErrorClass.REFUSED, ErrorClass.FAILED):
                return True
            raise
        if probe.golden is not None:
            probe.golden.check(arrays)
        return True
