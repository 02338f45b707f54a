"""Lock of a stack: one supervisor each."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.errors import StackError
from deploy.local.home import StackHome


@contextmanager
def locked(home: StackHome) -> Iterator[None]:
    """Hold the stack's lock for as long as the block lasts; the system lets go of it when the process dies.

    Raises:
        StackError: ALREADY_RUNNING.
    """
    home.make()
    with home.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"a stack already runs in {home.path}: see `pellicule status`"
            raise StackError("ALREADY_RUNNING", message, field="home") from error
        yield
