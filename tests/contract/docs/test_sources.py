"""Where packages come from is the machine's own business: no file that installs anything says so."""

from pathlib import Path

import pytest

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
