"""Figures that a client meets: what a message, a connection and a call may be; docs/operations.md gives reasons."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest request or response; pictures travel in chunks of at most `CHUNK_BYTES`."""

RECEIVED_MESSAGE_BYTES = 16 * 1024 * 1024
"""Up to here a message that is too large is read, and answered with a reason; gRPC itself refuses a larger one."""

CHUNK_BYTES = 1024 * 1024
"""Largest piece of a stream of bytes."""

MAX_STREAMS = 512
"""Calls at a time on one connection to the public listener; a client keeps the rest waiting, unlike what is refused."""

PENDING_CALLS = 8 * MAX_STREAMS
"""Calls that came and were not yet looked at, of all connections: what is done with them depends on who calls."""

RUNNING_CALLS = 8
"""Calls without streams of one caller that are worked on at the same time; the others wait for their turn."""

LONGEST_TURN_SECONDS = 1.0
"""A call of a caller who is too fast, and a stream without a place, are refused by then."""

REFUSALS_PER_SECOND = 10.0
"""Refused calls of one caller that are answered at once, and of one connection where they are strangers'."""

LONGEST_REFUSAL_SECONDS = 10.0
"""The answers to more of them wait for so long at most: who repeats them at once is busy with waiting."""

LINGERING_STREAMS = 4
"""Streams of one caller that are read at a time after they were answered; others end in the middle."""

LONGEST_QUEUE_SECONDS = 10.0
"""A call that is not worked on by then is refused: those of its caller before it take too long."""

SMALL_MESSAGE_BYTES = 65_536
"""A message of a stream that is smaller than this counts in full, since it costs a service as much to look at."""

FIRST_MESSAGE_SECONDS = 10.0
"""A stream of requests begins within this time."""

WINDOW_BYTES = 65_535
"""What a public client may send of a stream before it is read, but for the rest of a message that is waited for."""

HANDSHAKE_SECONDS = 10
"""A connection is set up by then, TLS included, or closed."""

IDLE_CONNECTION_SECONDS = 900
"""A public connection without a call is closed after this time; a client opens it again by itself."""

CONNECTION_AGE_SECONDS = 600
"""After this time a client is told to open another connection, so that servers that were added get their share; what is
in work on the old one goes on there."""

LONGEST_CALL_SECONDS = 300.0
"""What a call without streams gets when its caller names no deadline."""

LONGEST_STREAM_SECONDS = 3600.0
"""What a stream gets when its caller names no deadline; a Watch of a person lasts as long as their token instead."""

KEEPALIVE_SECONDS = 60
"""After so much silence a connection is asked for a sign of life, so that streams of phones that are gone end."""

KEEPALIVE_TIMEOUT_SECONDS = 20
"""A connection that gives no sign of life for so long is closed."""

SHORTEST_PING_SECONDS = 10
"""A client may ask for a sign of life this often, also without a call; one that asks more often is told to go away."""
