"""Times of the steps of a run, told at its end: they go into docs/kubernetes.md."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Times:
    """What each step took, in the order in which they were done."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Take the time of the block."""
        began = time.monotonic()
        yield
        self.note(name, time.monotonic() - began)

    def note(self, name: str, seconds: float) -> None:
        """Keep a time that was taken elsewhere."""
        self._taken.append((name, seconds))

    def table(self) -> str:
        """Return a line for each step."""
        return "\n".join(f"{seconds:8.1f} s  {name}" for name, seconds in self._taken)

    def write(self, file: Path) -> None:
        """Keep the times as JSON."""
        file.write_text(json.dumps(dict(self._taken), indent=1), encoding="utf-8")
