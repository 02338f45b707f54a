"""Where packages come from is the machine's own business: no file that installs anything says so."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
INSTALLING = [
    ROOT / "pyproject.toml",
    ROOT / "deploy" / "requirements.lock",
    ROOT / "deploy" / "training.lock",
    ROOT / "deploy" / "environment.sh",
    ROOT / "deploy" / "demo",
    ROOT / "deploy" / "test",
    ROOT / "deploy" / "train",
    ROOT / ".ci" / "run",
    *sorted((ROOT / "inference" / "models").glob("*/manifest.toml")),
]


@pytest.mark.parametrize("path", INSTALLING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_address_is_named(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def _wanted(*extras: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = [each for extra in extras for each in project["optional-dependencies"][extra]]
    return [Requirement(each) for each in (*project["dependencies"], *optional)]


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements.lock", ("local", "samples", "dev")), ("training.lock", ("training", "samples"))],
)
def test_every_dependency_is_locked_at_a_version_that_is_wanted(lock: str, extras: tuple[str, ...]) -> None:
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / "deploy" / lock).read_text("utf-8"), re.MULTILINE))
    fits = {each: pinned[each.name] in each.specifier for each in _wanted(*extras) if each.name in pinned}
    assert [str(each) for each in _wanted(*extras) if not fits.get(each)] == [], (
        "lock it again: docs/development.md, A dependency"
    )
