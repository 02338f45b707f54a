"""Document checks, where a program can tell the truth: links lead somewhere, commands exist.

Run as `python -m deploy.documents`; prints a line for each finding.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer.main

from deploy import metrics
from services.cli.__main__ import application

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND = re.compile(r"^\s*(?:\$ )?(?:\.venv/bin/)?pellicule ([a-z][a-z-]*)", re.MULTILINE)
_SCRIPT = re.compile(r"(?<![\w./-])(deploy/[a-z-]+|\.ci/run)(?![\w/.-])")
_FENCE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_REMOTE = re.compile(r"^[a-z]+:")


@dataclass(frozen=True)
class Finding:
    """Something that a document says and that is not so."""

    document: Path
    what: str


def check(root: Path, documents: Sequence[Path], commands: frozenset[str]) -> Iterator[Finding]:
    """Yield what is wrong in the documents.

    Args:
        root: The checkout.
        documents: Markdown files.
        commands: The subcommands that `pellicule` has.
    """
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for target, part in _LINK.findall(_FENCE.sub("", text)):
            if not _REMOTE.match(target):
                yield from _check_link(document, target, part)
        for code in _FENCE.findall(text):
            yield from _check_code(root, document, code.strip("`"), commands)


def _check_link(document: Path, target: str, part: str) -> Iterator[Finding]:
    file = document.parent / target if target else document
    if not file.exists():
        yield Finding(document, f"link to {target}, which does not exist")
    elif part and part not in map(_anchor, _HEADING.findall(file.read_text(encoding="utf-8"))):
        yield Finding(document, f"link to {target}#{part}, which is no heading there")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _check_code(root: Path, document: Path, code: str, commands: frozenset[str]) -> Iterator[Finding]:
    for command in _COMMAND.findall(code):
        if command not in commands:
            yield Finding(document, f"command pellicule {command}, which does not exist")
    for script in _SCRIPT.findall(code):
        if not (root / script).exists():
            yield Finding(document, f"program {script}, which does not exist")


def documents(root: Path) -> Sequence[Path]:
    """Return every Markdown file that is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.md"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    return [root / name for name in listed.split("\0") if name and (root / name).exists()]


def _commands() -> frozenset[str]:
    command = typer.main.get_command(application())
    return frozenset(getattr(command, "commands", {}))


def check_metrics(root: Path) -> Iterator[Finding]:
    """Yield a finding where the table of metrics is not the code's."""
    document = root / metrics.DOCUMENT
    text = document.read_text(encoding="utf-8")
    if metrics.with_table(text) != text:
        yield Finding(document, "metrics that are not the code's: run python -m deploy.metrics")


def main() -> int:
    """Check every Markdown file of the checkout."""
    root = Path(__file__).parents[1]
    findings = [*check(root, documents(root), _commands()), *check_metrics(root)]
    for finding in findings:
        sys.stdout.write(f"{finding.document.relative_to(root)}: {finding.what}\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
