"""`python -m inference.canary`: asks a server for known answers, once or for as long as it runs.

Each round is a line of JSON. The status is 0 when no model answered wrongly, 1 when one did, and 2 when it was asked
wrongly. With `--watch` it does not end; a line is written when an outcome changes, and `--health` answers probes.
"""

import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from inference.canary.renewal import Renewal, given_in, shown_by
from inference.canary.rounds import SECONDS_FOR_ONE, Finding, Place, examine
from inference.canary.watch import Pace, Watch, is_well, wait_until_well
from inference.client.tls import SentInClear, TlsFiles, refuse_clear


class _MachineClock:
    """The clock of the machine."""

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def main(
    target: Annotated[str, typer.Option(help="HOST:PORT of the server's gRPC endpoint.")],
    ca_file: Annotated[
        Path | None, typer.Option(envvar="PELLICULE_TRITON_CA_FILE", help="PEM: who vouches for the server.")
    ] = None,
    cert_file: Annotated[
        Path | None, typer.Option(envvar="PELLICULE_TLS_CERT_FILE", help="PEM: what is shown to the server.")
    ] = None,
    key_file: Annotated[Path | None, typer.Option(envvar="PELLICULE_TLS_KEY_FILE", help="PEM: its key.")] = None,
    repository: Annotated[
        Path | None, typer.Option(help="What it serves: operators' models are known by the answers kept there.")
    ] = None,
    paint: Annotated[bool, typer.Option("--paint", help="Have a picture painted, too; takes seconds.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="The longest wait for one model.")] = SECONDS_FOR_ONE,
    wait: Annotated[float, typer.Option(min=0, help="Ask again for so many seconds until all is well.")] = 0,
    watch: Annotated[float, typer.Option(min=0, help="Ask every so many seconds, and do not end.")] = 0,
    health: Annotated[str, typer.Option(help="With --watch: HOST:PORT that answers grpc.health.v1 in clear.")] = "",
    patience: Annotated[
        float, typer.Option(min=1, help="With --watch: seconds of failing after which `liveness` is not serving.")
    ] = 120,
    certificate: Annotated[
        Path | None, typer.Option(help="With --watch: PEM that the server read when it started, and may be newer now.")
    ] = None,
    restart_within: Annotated[
        float, typer.Option(min=0, help="Seconds in which `liveness` ends, at some time, once it is newer.")
    ] = 3600,
) -> None:
    """Ask every model of a server for its known answer."""

    def tls() -> TlsFiles | None:
        return TlsFiles(ca_file, cert_file, key_file) if ca_file else None

    async def ask() -> Sequence[Finding]:
        # The files are read for each round: they are renewed while it runs.
        return await examine(Place(target, tls(), repository), paint=paint, seconds=timeout)

    try:
        refuse_clear(target, tls())
    except SentInClear as error:
        raise typer.BadParameter(str(error), param_hint="--ca-file") from error
    told = partial(_say, target)
    if watch:
        is_due = _renewal(target, certificate, restart_within).is_due if certificate else None
        asyncio.run(_watch(Watch(ask, told, _MachineClock(), Pace(watch, patience), is_due), health))
        raise typer.Exit
    findings = asyncio.run(wait_until_well(ask, _MachineClock(), seconds=wait))
    told(findings)
    raise typer.Exit(0 if is_well(findings) else 1)


async def _watch(watch: Watch, health: str) -> None:
    """Run until the process is told to end; as the first of a container, it has to listen to that itself."""
    async with AsyncExitStack() as stack:
        if health:
            await stack.enter_async_context(watch.listening(health))
        running = asyncio.ensure_future(watch.run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        with suppress(asyncio.CancelledError):
            await running


def _renewal(target: str, certificate: Path, within: float) -> Renewal:
    delay = random.uniform(0, within)  # noqa: S311 - spreads restarts, and keeps no secret
    return Renewal(partial(shown_by, target), partial(given_in, certificate), delay, _MachineClock())


def _say(target: str, findings: Sequence[Finding]) -> None:
    line = {"target": target, "well": is_well(findings), "models": [asdict(finding) for finding in findings]}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    typer.run(main)
