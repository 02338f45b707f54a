"""Process `python -m services.cli.smoke`: tries a deployment, and ends with status 0 if all of it works."""

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from services.chassis.clock import SystemClock
from services.chassis.tokens import mint_token
from services.cli.client import Access, connect
from services.cli.consent import regions
from services.cli.consent.decisions import Person
from services.cli.exit_status import ExitStatus
from services.cli.output import UsageWrong
from services.cli.smoke.pictures import draw
from services.cli.smoke.settings import SmokeSettings
from services.cli.smoke.steps import StepFailed, Steps
from services.cli.smoke.visit import Visit

_TOKEN_LIFE = timedelta(hours=1)


def main() -> int:
    """Run the test; return the exit status."""
    try:
        settings = SmokeSettings()
    except ValidationError as error:
        first = error.errors()[0]
        return _fail(f"SMOKE_{'_'.join(map(str, first['loc']))}".upper() + f": {first['msg']}", ExitStatus.USAGE)
    try:
        asyncio.run(_run(settings))
    except (StepFailed, UsageWrong, OSError) as error:
        return _fail(str(error), ExitStatus.FAILED)
    return ExitStatus.DONE


async def _run(settings: SmokeSettings) -> None:
    clock, run = SystemClock(), uuid4().hex[:12]
    access = Access(settings.addresses, settings.ca_file.read_bytes(), _token(settings, run), lambda: True)
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), run)
        async with connect(access) as services:
            visit = Visit(
                services,
                Person(regions.parse(settings.region), adult=True, language="en"),
                Path(folder),
                leaves=settings.issuer_key_file is not None,
                patience=timedelta(seconds=settings.patience_seconds),
                clock=clock,
                steps=Steps(clock),
            )
            await visit.run()


def _token(settings: SmokeSettings, run: str) -> str:
    """Return a token of a person who has never been here, or the one that was given."""
    given, key = settings.token_file, settings.issuer_key_file
    if key is None:
        return "" if given is None else given.read_text(encoding="utf-8").strip()
    return mint_token(
        key.read_bytes(),
        issuer=settings.issuer,
        audience=settings.audience,
        subject=f"smoke-{run}",
        ttl=_TOKEN_LIFE,
        clock=SystemClock(),
    )


def _fail(message: str, status: ExitStatus) -> ExitStatus:
    sys.stderr.write(f"failed  {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
