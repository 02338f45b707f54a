"""Figures that a client meets: what a message, a connection and a call may be; docs/operations.md gives reasons."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest request or response; pictures travel in chunks of at most `CHUNK_BYTES`."""

RECEIVED_MESSAGE_BYTES = 16 * 1024 * 1024
"""Up to here a message that is too large is read, and answered with a reason; gRPC itself refuses a larger one."""

CHUNK_BYTES = 1024 * 1024
"""Largest piece of a stream of bytes."""

MAX_STREAMS = 100
"""Calls at a time on one connection to the public listener; a client keeps the rest waiting."""

LONGEST_CALL_SECONDS = 300.0
"""What a call without streams gets when its caller names no deadline."""

KEEPALIVE_SECONDS = 60
"""After so much silence a connection is asked for a sign of life, so that streams of phones that are gone end."""

KEEPALIVE_TIMEOUT_SECONDS = 20
"""A connection that gives no sign of life for so long is closed."""

SHORTEST_PING_SECONDS = 10
"""A client may ask for a sign of life this often, also without a call; one that asks more often is told to go away."""
