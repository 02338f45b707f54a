"""One stack for the measurement; real servers of our own for the long run."""

from tests.e2e.conftest import stack
from tests.integration.analysis.conftest import ground, person, servers

__all__ = ["ground", "person", "servers", "stack"]
