from pathlib import Path

from deploy.documents import check

COMMANDS = frozenset({"up", "down"})


def findings(folder: Path, text: str) -> list[str]:
    document = folder / "README.md"
    document.write_text(text, encoding="utf-8")
    return [finding.what for finding in check(folder, [document], COMMANDS)]


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    assert findings(tmp_path, "See [this](docs/gone.md#part).") == ["link to docs/gone.md, which does not exist"]


def test_links_to_files_and_sites_are_fine(tmp_path: Path) -> None:
    (tmp_path / "there.md").touch()
    assert findings(tmp_path, "[a](there.md) [b](https://example.org/x#part)") == []


def test_a_link_to_a_heading_that_is_gone_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# What is `kept`?\n", encoding="utf-8")
    assert findings(tmp_path, "## A part\n[a](there.md#what-is-kept) [b](#a-part) [c](there.md#part)") == [
        "link to there.md#part, which is no heading there"
    ]


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    assert findings(tmp_path, "```\npellicule up\npellicule fly\n```") == [
        "command pellicule fly, which does not exist"
    ]


def test_prose_is_no_command(tmp_path: Path) -> None:
    assert findings(tmp_path, "pellicule means a roll of film") == []


def test_a_program_that_does_not_exist_is_found(tmp_path: Path) -> None:
    assert findings(tmp_path, "Run `deploy/fly`.") == ["program deploy/fly, which does not exist"]
