"""One stack for the measurement; real servers of our own for the long run."""

from tests.e2e.conftest import stack
from tests.integration.analysis.conftest import harness, person, servers

__all__ = ["harness", "person", "servers", "stack"]
