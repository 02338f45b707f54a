"""Commands and options in documents, held to the command line and the programs as they are."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import typer.main

from deploy.documents import check, check_metrics, documents
from services.cli.__main__ import application

ROOT = Path(__file__).parents[3]
DOCUMENTS = documents(ROOT)
COMMAND = typer.main.get_command(application())
CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
END = re.compile(r"^(?:\||\|\||&&|;|[0-9]?>.*|<.*)$")


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in code, without what a shell does with it afterwards."""
    for fenced, inline in CODE.findall(text):
        for line in (fenced or inline).replace("\\\n", " ").replace("$(", " ").replace(")", " ").splitlines():
            words: list[str] = []
            for word in [*_words(line), "|"]:
                if END.match(word):
                    yield words
                    words = []
                else:
                    words.append(word)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # prose with an apostrophe is no command
        return []


def wrong_options(words: list[str]) -> Iterator[str]:
    """Yield the options in a `pellicule` command line that its subcommand does not have."""
    names = [Path(word).name for word in words]
    if "pellicule" not in names:
        return
    command = COMMAND
    for word in words[names.index("pellicule") + 1 :]:
        if word in getattr(command, "commands", {}):
            command = command.commands[word]  # type: ignore[attr-defined]
        elif word.startswith("-"):
            option = word.partition("=")[0]
            if option not in {"--help", *(name for each in command.params for name in each.opts + each.secondary_opts)}:
                yield f"{option} in: {' '.join(words)}"


def wrong_program_options(words: list[str]) -> Iterator[str]:
    """Yield the options given to a program of ours that its text does not know."""
    if words and re.fullmatch(r"deploy/[a-z-]+|\.ci/run", words[0]) and (ROOT / words[0]).is_file():
        text = (ROOT / words[0]).read_text(encoding="utf-8")
        yield from (f"{word} in: {' '.join(words)}" for word in words[1:] if word.startswith("--") and word not in text)


def test_links_lead_somewhere_and_commands_exist() -> None:
    found = check(ROOT, DOCUMENTS, frozenset(COMMAND.commands))  # type: ignore[attr-defined]
    assert [f"{finding.document.relative_to(ROOT)}: {finding.what}" for finding in found] == []


def test_the_metrics_in_the_documents_are_the_code_s() -> None:
    assert list(check_metrics(ROOT)) == []


def test_options_in_documents_exist() -> None:
    lines = [(document, words) for document in DOCUMENTS for words in command_lines(document.read_text("utf-8"))]
    wrong = {document: [*wrong_options(words), *wrong_program_options(words)] for document, words in lines}
    assert {str(document.relative_to(ROOT)): found for document, found in wrong.items() if found} == {}


def test_the_files_that_recipes_name_are_there() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    there = "".join(f"/{name}\n" for name in listed.splitlines())
    named = re.findall(r"`([\w.-]+/[\w./-]*)`", (ROOT / "docs" / "development.md").read_text(encoding="utf-8"))
    assert [name for name in named if f"/{name}" not in there] == []


def test_an_option_that_does_not_exist_is_found() -> None:
    text = "```bash\n$ .venv/bin/pellicule up --object-store minio --fly && pellicule status --json  # --not-this\n```"
    wrong = [each.split()[0] for words in command_lines(text) for each in wrong_options(words)]
    assert wrong == ["--fly"]
