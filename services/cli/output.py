"""What a command prints: JSON Lines or text on standard output, progress and logs on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import grpc
import typer
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

EXIT_FAILED = 1
_CLOSED_STATUS = 141
"""What a shell says of a command that was ended because its output is read no more (128 + SIGPIPE)."""
_REASONLESS = {
    grpc.StatusCode.UNAVAILABLE: (
        "STACK_UNREACHABLE",
        "a service does not answer; look at `pellicule status` and start the stack with `pellicule up`",
    ),
    # The services give a reason with every INTERNAL of theirs: one without comes from gRPC itself.
    grpc.StatusCode.INTERNAL: ("CALL_BROKEN", "the connection failed during the call; run the command again to go on"),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("DEADLINE_EXCEEDED", "a service took too long; call again"),
    grpc.StatusCode.UNIMPLEMENTED: (
        "RPC_UNKNOWN",
        "the service is older than this command; restart the stack",
    ),
}

console = Console(stderr=True, soft_wrap=True)


class CommandFailed(Exception):
    """A command cannot do what it was asked: `reason` for scripts, `message` for people, `field` at fault."""

    def __init__(self, reason: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.reason, self.message, self.field = reason, message, field


def printable(text: str) -> str:
    r"""Return text that every encoding can carry: bytes of a file name that are not UTF-8 become `\\xNN`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def emit(row: Mapping[str, object]) -> None:
    """Print one JSON line at once, so that a reader sees it while the command goes on."""
    sys.stdout.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Print a line of the command's answer."""
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()


def from_rpc(error: grpc.aio.AioRpcError) -> CommandFailed:
    """Turn a failed call into a command's failure, with the reason and the field that the service named."""
    reason, message = _REASONLESS.get(error.code(), (error.code().name, error.details() or ""))
    field = ""
    status = rpc_status.from_call(cast("grpc.Call", error))
    for detail in status.details if status else ():
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason, message = info.reason, error.details() or info.reason
        elif detail.Unpack(bad) and bad.field_violations:
            field = bad.field_violations[0].field
    return CommandFailed(reason, message, field)


@contextmanager
def failures(*, as_json: bool) -> Iterator[None]:
    """End the command with one line and a non-zero status when something in the block fails."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        _fail(from_rpc(error), as_json=as_json)
    except CommandFailed as error:
        _fail(error, as_json=as_json)
    except KeyboardInterrupt:
        _fail(
            CommandFailed("INTERRUPTED", "stopped; what was done stays, run the command again to go on"),
            as_json=as_json,
        )
    except BrokenPipeError:
        # The reader of the output has seen enough, as `head` has; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_CLOSED_STATUS) from None
    except OSError as error:
        _fail(
            CommandFailed("FILE_UNUSABLE", error.strerror or str(error), str(error.filename or "")),
            as_json=as_json,
        )


def _fail(error: CommandFailed, *, as_json: bool) -> None:
    if as_json:
        emit({"error": {"reason": error.reason, "message": error.message, "field": printable(error.field)}})
    else:
        field = f" [{error.field}]" if error.field else ""
        console.print(f"pellicule: {error.reason}{field}: {printable(error.message)}", markup=False, highlight=False)
    raise SystemExit(EXIT_FAILED)


def progress_bars() -> Progress:
    """Return bars on standard error: a label, a bar, how many of how many, the time."""
    return Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
