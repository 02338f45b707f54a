"""The second service costs nothing to learn: the same files everywhere, none of them long."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.contract.products import ROOT, service_names

_LONGEST_MODULE = 300
_LONGEST_README = 80
_FILES = (
    "README.md",
    "__init__.py",
    "__main__.py",
    "access.py",
    "domain",
    "errors.py",
    "migrations",
    "operations",
    "operations/dependencies.py",
    "operations/purge.py",
    "operations/sweep.py",
    "ports.py",
    "schema.sql",
    "servicer.py",
    "settings.py",
    "store",
    "translation.py",
    "worker.py",
)
_NAMELESS = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "base", "misc"}
_HEADER = re.compile(r"(?!(?:The|An?|What|How|Who|Why|Which|When|This|Between|Whether) )[A-Z0-9`].*[.]")
"""A noun of the field first, without an article, and a full stop."""
_DOCSTRING = re.compile(r'(?:#.*\n|\n)*r?"""(.*?)(?:"""|$)', re.MULTILINE)
_CASES = re.compile(r"@pytest\.mark\.parametrize\(.*?\n *(?:async def|def|class) ", re.DOTALL)
_AT_RANDOM = re.compile(r"\b(?:uuid1|uuid4|token_\w+|urandom|now|time)\(")
_MODULES = sorted(
    path.relative_to(ROOT) for folder in ("services", "inference", "deploy") for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("service", service_names())
def test_a_service_has_the_files_that_every_service_has(service: str) -> None:
    folder = ROOT / "services" / service

    assert [name for name in _FILES if not _is_there(folder / name)] == []


def test_a_readme_is_one_screen() -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "services").glob("*/README.md")
    }

    assert {str(path): length for path, length in lengths.items() if length >= _LONGEST_README} == {}


@pytest.mark.parametrize("service", [*service_names(), "chassis"])
def test_migrations_can_be_run_forth_and_back_and_never_share_a_version(service: str) -> None:
    folders = {ROOT / "services" / name / "migrations" for name in (service, "chassis")}
    files = [file for folder in folders for file in folder.glob("*.sql")]
    marks = {file.name: re.findall(r"^-- migrate:(up|down)$", file.read_text(encoding="utf-8"), re.M) for file in files}

    assert {name: found for name, found in marks.items() if found != ["up", "down"]} == {}
    versions = Counter(name.partition("_")[0] for name in marks)
    assert [version for version, count in versions.items() if count > 1] == []


def test_no_module_is_long() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in _MODULES}

    assert {str(path): length for path, length in lengths.items() if length >= _LONGEST_MODULE} == {}


def test_every_module_has_a_name_that_says_something() -> None:
    assert [str(path) for path in _MODULES if {path.stem, *path.parent.parts} & _NAMELESS] == []


def test_every_module_begins_with_a_noun_and_ends_its_first_line() -> None:
    """Moods of functions are ruff's to check (D401); a module is a thing."""
    first = {path: _first_line(path) for path in _MODULES}

    assert {str(path): line for path, line in first.items() if not _HEADER.fullmatch(line)} == {}


def test_nothing_is_left_to_do_in_the_code() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")

    assert [str(path) for path in _MODULES if words.search((ROOT / path).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("layer", ["unit", "contract", "integration"])
def test_every_folder_of_tests_is_a_package(layer: str) -> None:
    folders = {path.parent for path in (ROOT / "tests" / layer).rglob("test_*.py")}

    assert [str(folder.relative_to(ROOT)) for folder in sorted(folders) if not _is_package(folder)] == []


def test_no_name_of_a_test_is_another_one_each_time() -> None:
    """Such a test cannot be run again by its name, nor spread over processes, as each of them names it anew."""
    tests = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    found = {path: [_AT_RANDOM.findall(cases) for cases in _CASES.findall(text)] for path, text in tests.items()}

    assert [str(path.relative_to(ROOT)) for path, calls in found.items() if any(calls)] == []


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _first_line(path: Path) -> str:
    """Return the first line of a module's docstring; nothing if it does not begin with one."""
    found = _DOCSTRING.match((ROOT / path).read_text(encoding="utf-8"))
    return found[1] if found else ""


def _is_there(module: Path) -> bool:
    """Tell whether there is a file of the name, or a package where one file would be too long."""
    return module.exists() or (module.suffix == ".py" and _is_package(module.with_suffix("")))
