"""Limit that a server is held against: the same model in this process, as many sessions, nothing else to do."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.model_build.sessions import ModelSession


class BareLoop:
    """Sessions of one thread each, with a thread for each, asked without a pause.

    Args:
        path: the ONNX file that is served.
        inputs: what a request carries.
        sessions: as many as the server has instances.
    """

    def __init__(self, path: Path, inputs: Mapping[str, NDArray[np.generic]], sessions: int) -> None:
        self._sessions = [ModelSession(path) for _ in range(sessions)]
        self._inputs = dict(inputs)

    @property
    def sessions(self) -> int:
        """How many there are."""
        return len(self._sessions)

    def rate(self, seconds: float) -> float:
        """Run for a time; return runs a second. Blocks.

        Each session's rate is that of its own time: one that ends a run earlier than another does not stand idle.
        """
        with ThreadPoolExecutor(len(self._sessions)) as threads:
            return sum(threads.map(lambda session: self._rate(session, seconds), self._sessions))

    def _rate(self, session: ModelSession, seconds: float) -> float:
        runs, started = 0, time.perf_counter()
        while (now := time.perf_counter()) < started + seconds:
            session.run(self._inputs)
            runs += 1
        return runs / (now - started)
