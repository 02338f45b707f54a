"""One question of our own finds out whether a server has recovered; everybody else waits for what it brings."""

import asyncio
from collections.abc import Iterable

import structlog

from inference.client.breaker import State
from inference.client.errors import ModelAnswerBroken, ModelUnavailable
from inference.client.lanes import Lane
from inference.client.questions import Question, Questions
from inference.client.tensors import Tensors
from inference.client.verdicts import Failed, Verdict
from inference.client.wire import Wire
from inference.models.errors import GoldenMismatch

_log = structlog.stdlib.get_logger()


class Prober:
    """Guards the breakers of a client."""

    def __init__(self, wire: Wire, questions: Questions) -> None:
        """Guards.

        Args:
            wire: The way to the server.
            questions: What it is asked.
        """
        self._wire = wire
        self._questions = questions

    async def pass_breaker(self, lane: Lane) -> None:
        """Returns if questions may go; where the breaker is half open, after a question of our own was answered.

        Raises:
            ModelUnavailable: it is open, or the question was not answered rightly.
        """
        if lane.breaker.state is State.HALF_OPEN:
            if lane.probe is None or lane.probe.done():
                lane.probe = asyncio.create_task(self._probe(lane))
            await asyncio.shield(lane.probe)
        if lane.breaker.state is not State.CLOSED:
            message = "the server failed again and again; it is left alone for a while"
            raise ModelUnavailable(lane.model, message, lane.breaker.open_for())

    async def end(self, lanes: Iterable[Lane]) -> None:
        """Ends the questions that are under way."""
        probes = [lane.probe for lane in lanes if lane.probe is not None]
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)

    async def _probe(self, lane: Lane) -> None:
        """Closes the breaker, or opens it for longer."""
        if await self._is_well(lane):
            lane.breaker.succeed()
            _log.info("model_recovered", model=lane.model)
        else:
            lane.breaker.trip()

    async def _is_well(self, lane: Lane) -> bool:
        lane.facts = None
        seconds = lane.patience.answer / 2
        try:
            facts = await self._wire.facts(lane.model, seconds=seconds)
            answered = await self._answer(lane.model, self._questions(facts), seconds)
        except (Failed, ModelAnswerBroken, GoldenMismatch) as error:
            _log.warning("model_still_unavailable", model=lane.model, error=str(error))
            return False
        if answered:
            lane.learn(facts)
        return answered

    async def _answer(self, model: str, question: Question, seconds: float) -> bool:
        """Asks; a blank question may be refused: only somebody who is alive refuses."""
        try:
            arrays: Tensors = await self._wire.infer(model, question.inputs, question.outputs, seconds=seconds)
        except Failed as failed:
            if question.golden is None and failed.verdict in (Verdict.REFUSED, Verdict.FAILED):
                return True
            raise
        if question.golden is not None:
            question.golden.check(arrays)
        return True
