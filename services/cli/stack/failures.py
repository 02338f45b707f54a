"""Failures of a stack, as a command's failure."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.errors import StackError
from services.cli.output import CommandFailed


@contextmanager
def stack_failures() -> Iterator[None]:
    """Turn what the stack says is wrong into a command's failure."""
    try:
        yield
    except StackError as error:
        raise CommandFailed(error.reason, error.message, error.field) from error
