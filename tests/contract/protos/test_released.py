"""A version is a heading of the changelog and the contracts that later ones are held against."""

import tomllib

from tests.contract.products import ROOT

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_the_version_has_its_heading_in_the_changelog() -> None:
    assert f"\n## {VERSION} - " in (ROOT / "docs" / "CHANGELOG.md").read_text("utf-8")


def test_the_contracts_of_the_version_are_kept() -> None:
    assert (ROOT / "proto" / "released" / f"{VERSION}.binpb").is_file(), "run deploy/generate-protos --release"
