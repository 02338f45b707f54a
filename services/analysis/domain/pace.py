"""Pace of the worker: how much it takes on, and how often it looks for more."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Pace:
    """How much is worked on at a time, and how often is looked for more.

    Attributes:
        batch: Media that are claimed, given keys and stored together.
        in_hand: Media at work at a time; each is in memory as a picture of at most 2048 pixels on its long side.
        renewals: How many of them may be media that have findings by other models already.
        lease: How long a claim holds; a process that died is found out after this.
        storing: What of this is kept for storing the results; the models have to answer before.
        poll: How often is looked for what is due when nothing wakes the worker.
        sweep: How often is looked for what was missed.
        finish: How long what is in hand may take to its end when the process is told to stop; the rest is given back.
        burst: How long a media waits before it is analysed: a phone sends several at a time, and they are analysed
            together, once they no longer want the processor for themselves.
    """

    batch: int = 4
    in_hand: int = 20
    renewals: int = 4
    lease: timedelta = timedelta(minutes=1)
    storing: timedelta = timedelta(seconds=10)
    poll: timedelta = timedelta(seconds=1)
    sweep: timedelta = timedelta(minutes=10)
    finish: timedelta = timedelta()
    burst: timedelta = timedelta()
