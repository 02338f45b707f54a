"""Errors of a stack on one machine; each message says what to do about it."""

import os
import sys
from pathlib import Path

START_FAILED = "START_FAILED"


class StackError(Exception):
    """A failure that its reader can act upon.

    Attributes:
        reason: Constant name for scripts, such as `PROGRAM_MISSING`.
        message: One line: what is wrong, and the remedy.
        field: The option, part or file that is meant; empty when there is none.
    """

    def __init__(self, reason: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field


def program_missing(program: str, package: str) -> StackError:
    """Return the error for a server program that the environment lacks."""
    remedy = "run `deploy/demo` or install deploy/requirements.lock into this environment"
    return StackError("PROGRAM_MISSING", f"{program} (package {package}) is not installed: {remedy}", field=program)


def program_unusable(path: Path) -> StackError:
    """Return the error for a program that this account may not run."""
    remedy = f"as its owner, run `chmod -R a+rX {sys.prefix}`, or make an environment of this account's own"
    return StackError("PROGRAM_UNUSABLE", f"account {os.geteuid()} may not use {path}: {remedy}", field=str(path))


def start_failed(part: str, why: str, log: str) -> StackError:
    """Return the error for a part that ended, or never answered, while it was being started."""
    return StackError(START_FAILED, f"{part} did not start: {why} (log: {log})", field=part)


def home_unusable(path: Path, why: str) -> StackError:
    """Return the error for a stack's folder that this account cannot use."""
    remedy = "set PELLICULE_HOME to a folder of its own, or run as the folder's owner"
    message = f"account {os.geteuid()} cannot use {path}: {why}; {remedy}"
    return StackError("HOME_UNUSABLE", message, field="PELLICULE_HOME")
