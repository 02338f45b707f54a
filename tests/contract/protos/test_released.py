"""A version is a heading of the changelog, the contracts that later ones are held against, and migrations that stay."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from tests.contract.products import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
RELEASED = ROOT / "proto" / "released"


def test_the_version_has_its_heading_in_the_changelog() -> None:
    assert f"\n## {VERSION} - " in (ROOT / "docs" / "CHANGELOG.md").read_text("utf-8")


def test_the_contracts_of_the_version_are_kept() -> None:
    assert (RELEASED / f"{VERSION}.binpb").is_file(), "run deploy/generate-protos --release"


def test_the_digests_of_the_migrations_of_the_version_are_kept() -> None:
    assert (RELEASED / f"{VERSION}.migrations.sha256").is_file(), "run deploy/generate-protos --release"


@pytest.mark.parametrize("release", sorted(RELEASED.glob("*.migrations.sha256")), ids=lambda file: file.name)
def test_a_migration_that_was_released_is_never_edited_again(release: Path) -> None:
    """Databases have run it: a change would reach none of them. Add another one."""
    lines = (line.split("  ") for line in release.read_text("ascii").splitlines())
    released = {name: digest for digest, name in lines}

    assert {name: _digest(ROOT / name) for name in released} == released


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "is gone"
