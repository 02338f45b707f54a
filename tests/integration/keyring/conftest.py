"""The retention service as the keyring meets it: over mTLS, with a real database and a real bus behind it."""

from tests.integration.retention.conftest import (
    callers,
    clock,
    database,
    harness,
    nats,
    pool,
    retention,
    store,
)

__all__ = ["callers", "clock", "database", "harness", "nats", "pool", "retention", "store"]
