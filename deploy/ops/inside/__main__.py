"""Command line `python -m deploy.ops.inside SERVICE`: says as JSON Lines how the service stands whose pod this is."""

import asyncio
import json
import sys

from deploy.ops.inside.looks import looks_of
from services.chassis.logs import configure_logging


async def _main(service: str) -> int:
    """Write a line for each look: what it saw, or why it could not; return the exit status 0."""
    for name, look in looks_of(service).items():
        try:
            row = {"look": name, "seen": await look()}
        except Exception as error:  # noqa: BLE001  # one server that is away hides nothing of the others
            row = {"look": name, "unseen": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    configure_logging("doctor", "WARNING")  # to standard error: what libraries say is no answer
    sys.exit(asyncio.run(_main(sys.argv[1])))
