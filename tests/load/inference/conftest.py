"""One stack for the measurement."""

from tests.e2e.conftest import stack

__all__ = ["stack"]
