"""Output of a command: JSON Lines or text on standard output, progress and logs on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.escaping import json_line, one_line, printable, several_lines
from services.cli.exit_status import ExitStatus

_YES = frozenset({"y", "yes", "o", "oui"})
_REASONLESS = {
    grpc.StatusCode.UNAVAILABLE: (
        "STACK_UNREACHABLE",
        "a service does not answer; look at `pellicule status` and start the stack with `pellicule up`",
    ),
    # The services give a reason with every INTERNAL of theirs: one without comes from gRPC itself.
    grpc.StatusCode.INTERNAL: ("CALL_BROKEN", "the connection failed during the call; run the command again to go on"),
    # No command cancels a call: the server stopped before it came to the call, or before it was through with it.
    grpc.StatusCode.CANCELLED: ("CALL_BROKEN", "the service stopped during the call; run the command again to go on"),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("DEADLINE_EXCEEDED", "a service took too long; call again"),
    grpc.StatusCode.UNIMPLEMENTED: (
        "RPC_UNKNOWN",
        "the service is older than this command; restart the stack",
    ),
}

_AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})

console = Console(stderr=True, soft_wrap=True)


class CommandFailed(Exception):
    """A command cannot do what it was asked: `reason` for scripts, `message` for people, `field` at fault."""

    status = ExitStatus.FAILED

    def __init__(self, reason: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.reason, self.message, self.field = reason, message, field


class UsageWrong(CommandFailed):
    """A command was asked for what makes no sense; that is seen before anything is done."""

    status = ExitStatus.USAGE


class OutOfReach(CommandFailed):
    """A command could not be done, or not all of it, because a service was away; later it may be."""

    status = ExitStatus.OUTAGE


class Interrupted(CommandFailed):
    """A command was ended by Ctrl-C."""

    status = ExitStatus.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("INTERRUPTED", "stopped; what was done stays, run the command again to go on")


def emit(row: Mapping[str, object]) -> None:
    """Print one JSON line at once, so that a reader sees it while the command goes on."""
    _write(json_line(row))


def say(line: str) -> None:
    """Print a line of the command's answer; control characters in it are spelt out."""
    _write(one_line(line))


def say_text(text: str) -> None:
    """Print an answer of several lines."""
    _write(several_lines(text))


def note(line: str) -> None:
    """Print a line for people on standard error; control characters in it are spelt out."""
    console.out(one_line(line), highlight=False)


def show(text: str) -> None:
    """Print several lines for people on standard error, as they are."""
    console.out(text, highlight=False)


def is_script(*, as_json: bool) -> bool:
    """Say whether the command is used by a program: it is never asked anything."""
    return as_json or sys.stdin is None or not sys.stdin.isatty()


def confirmed(question: str) -> bool:
    """Ask on standard error; anything but a clear yes is a no."""
    sys.stderr.write(f"{one_line(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def from_rpc(error: grpc.aio.AioRpcError) -> CommandFailed:
    """Turn a failed call into a command's failure, with the reason and the field that the service named."""
    reason, message, field = *_REASONLESS.get(error.code(), (error.code().name, error.details() or "")), ""
    status = rpc_status.from_call(cast("grpc.Call", error))
    for detail in status.details if status else ():
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason, message = info.reason, error.details() or info.reason
        elif detail.Unpack(bad) and bad.field_violations:
            field = bad.field_violations[0].field
    away = error.code() in _AWAY or reason == "CALL_BROKEN"
    return (OutOfReach if away else CommandFailed)(reason, message, field)


def is_outage(error: BaseException) -> bool:
    """Say whether a call failed because a service is away or broke off, so that the same call may succeed later."""
    return isinstance(error, grpc.aio.AioRpcError) and isinstance(from_rpc(error), OutOfReach)


@contextmanager
def failures(*, as_json: bool) -> Iterator[None]:
    """End the command with one line and a non-zero status when something in the block fails."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        fail(from_rpc(error), as_json=as_json)
    except CommandFailed as error:
        fail(error, as_json=as_json)
    except KeyboardInterrupt:
        fail(Interrupted(), as_json=as_json)
    except BrokenPipeError:
        # The reader of the output has seen enough, as `head` has; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(ExitStatus.OUTPUT_CLOSED) from None
    except OSError as error:
        fail(
            CommandFailed("FILE_UNUSABLE", error.strerror or str(error), str(error.filename or "")),
            as_json=as_json,
        )


def fail(error: CommandFailed, *, as_json: bool) -> NoReturn:
    """End the command with one line that says why, and its status."""
    if as_json:
        emit({"error": {"reason": error.reason, "message": error.message, "field": printable(error.field)}})
    else:
        field = f" [{error.field}]" if error.field else ""
        note(f"pellicule: {error.reason}{field}: {error.message}")
    raise SystemExit(error.status)


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def progress_bars() -> Progress:
    """Return bars on standard error: a label, a bar, how many of how many, the time."""
    return Progress(
        TextColumn("{task.description:<22}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
