"""What the databases of a cell say, asked inside PostgreSQL's own pod."""

from collections.abc import Sequence
from typing import Final

from tests.cluster.harness.programs import Cluster

_PSQL: Final = 'PGPASSWORD="$(cat /etc/postgresql/password)" exec psql -h /tmp -p 5433 -U postgres -AtX -F "|" -f -'


def select(cell: Cluster, service: str, query: str) -> Sequence[Sequence[str]]:
    """Return the rows of a query on a service's database."""
    said = cell.run_in("postgres-0", "sh", "-c", f"{_PSQL} -d {service}", given=query)
    return [line.split("|") for line in said.splitlines()]


def number(cell: Cluster, service: str, query: str) -> int:
    """Return the one number that a query gives."""
    ((value,),) = select(cell, service, query)
    return int(value)
