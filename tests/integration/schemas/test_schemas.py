from pathlib import Path

from deploy.declarations import SERVICES
from deploy.schemas import committed, normal_form, schemas


async def test_committed_schemas_are_what_the_migrations_make(tmp_path: Path) -> None:
    made = {service: schema async for service, schema in schemas(tmp_path)}
    expected = {service: committed(service).read_text(encoding="utf-8") for service in SERVICES}
    stale = [service for service in SERVICES if made[service] != expected[service]]
    assert stale == [], "run deploy/dump-schemas and commit what it writes"


def test_dumps_of_two_runs_read_the_same() -> None:
    statement = "CREATE TABLE media (\n    id uuid NOT NULL\n);\n"
    one = f"-- Dumped from database version 18.6\n\n\\restrict a1\n\nSET jit = off;\n\n\n{statement}\n\\unrestrict a1\n"
    other = f"-- Dumped from database version 18.7\n\n\\restrict b2\n\n{statement}\n\n\\unrestrict b2\n\n"
    assert normal_form(one) == normal_form(other)
