"""A whole stack under test, and what one can look at from outside: the command, the tables, the buckets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from minio import Minio

from deploy.declarations import BUCKETS, DECLARATIONS
from deploy.local.home import StackHome
from deploy.local.state import StackState, read_state
from services.chassis.tokens import subject_pseudonym

Row = dict[str, object]
EVERYTHING = "CLOUD_PROCESSING,LOCATION,FACE_GROUPING"


@dataclass(frozen=True)
class RunningStack:
    """A stack that runs."""

    home: StackHome

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "services.cli", *arguments],
            env={**os.environ, "PELLICULE_HOME": str(self.home.path)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, seconds: float = 280) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def rows(self, *arguments: str, seconds: float = 280) -> list[Row]:
        """Run a command that must succeed, and return its lines."""
        done = self.run(*arguments, "--json", seconds=seconds)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def failure(self, *arguments: str) -> Row:
        """Run a command that must fail, and return its last line, which says why."""
        done = self.run(*arguments, "--json")
        assert done.returncode != 0, done.stdout
        error: Row = json.loads(done.stdout.splitlines()[-1])["error"]
        return error

    def bring_in(self, folder: Path, subject: str, grant: str = EVERYTHING) -> dict[str, Row]:
        """Import a folder and wait for its ideas; return the answers by file."""
        rows = self.rows("import", str(folder), "--subject", subject, "--grant", grant, "--wait")
        return {str(row["file"]): row for row in rows}

    def findings(self, subject: str) -> dict[str, Row]:
        """Return what was understood, by file."""
        return {str(row["file"]): row for row in self.rows("findings", "--subject", subject)}

    @property
    def state(self) -> StackState:
        """What runs now."""
        state = read_state(self.home)
        assert state is not None
        return state

    def address(self, part: str) -> str:
        """Return `host:port` of a part."""
        return str(self.state.address(part))

    def pseudonym(self, subject: str) -> str:
        """Return what the services call a person."""
        key = bytes.fromhex(self.home.key("subject.key").read_text().strip())
        return subject_pseudonym(key, "pellicule-local", subject)

    def select(self, service: str, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask a service's database, with the service's own role."""
        password = json.loads(self.home.secrets.read_text())[f"postgres-{service}"]
        host, port = self.address("postgres").split(":")
        with psycopg.connect(host=host, port=int(port), user=service, password=password, dbname=service) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def tables(self, service: str) -> Sequence[str]:
        """Return the names of a service's tables."""
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        return [str(name) for (name,) in self.select(service, query)]

    def rows_of(self, service: str, subject: str) -> dict[str, int]:
        """Count a person's rows in every table of a service that has a column `subject`."""
        query = (
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'subject' AND table_schema = 'public'"
        )
        counts = {}
        for (table,) in self.select(service, query):
            ((count,),) = self.select(
                service, f"SELECT count(*) FROM {table} WHERE subject = %s", self.pseudonym(subject)
            )
            counts[str(table)] = int(str(count))
        return counts

    def objects(self) -> dict[str, list[str]]:
        """Return the names of all objects, by bucket, each as its owner sees it."""
        secrets = json.loads(self.home.secrets.read_text())
        owner = {bucket: name for name, each in DECLARATIONS.items() for bucket in each.owns}
        store = next(part.part for part in self.state.parts if part.part in ("seaweedfs", "minio"))
        found = {}
        for bucket in BUCKETS:
            name = owner[bucket]
            client = Minio(
                endpoint=self.address(store), access_key=name, secret_key=secrets[f"s3-{name}"], secure=False,
                region="us-east-1",
            )  # fmt: skip
            found[bucket] = [str(each.object_name) for each in client.list_objects(bucket, recursive=True)]
        return found

    def named_objects(self) -> dict[str, set[str]]:
        """Return the names of all objects that rows speak of, by bucket."""
        tables = {
            "media": ("ingest", "segment"),
            "previews": ("analysis", "previews"),
            "renditions": ("suggestion", "rendition"),
        }
        return {
            bucket: {str(name) for (name,) in self.select(service, f"SELECT object FROM {table}")}
            for bucket, (service, table) in tables.items()
        }
