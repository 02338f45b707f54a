"""The limit that a server is held against: the same model in this process, as many sessions, nothing else to do."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models.sessions import ModelSession


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

    def rate(self, seconds: float) -> float:
        """Runs for a time; returns runs a second. Blocks."""
        started = time.perf_counter()
        with ThreadPoolExecutor(len(self._sessions)) as threads:
            runs = sum(threads.map(lambda session: self._run(session, started + seconds), self._sessions))
        return runs / (time.perf_counter() - started)

    def _run(self, session: ModelSession, end: float) -> int:
        runs = 0
        while time.perf_counter() < end:
            session.run(self._inputs)
            runs += 1
        return runs
