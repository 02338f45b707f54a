"""Lock file of the environment: which packages something needs, with their versions and digests.

Run as `python3 -m deploy.images.lock [--no-deps] NAME...`, where a name is a package's or `pellicule[EXTRA,...]`;
prints what pip reads. Needs Python alone: it runs in the first stage of an image, where nothing is installed yet.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = "pellicule"

_ENTRY = re.compile(r"(?m)^(?=[A-Za-z0-9])")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[([^\]]*)\])?")
_VIA = re.compile(r"(?m)^ +#(?: via| {2,})? ([A-Za-z0-9._-]+)")


class LockIncomplete(Exception):
    """The lock has no row for what is asked of it."""


@dataclass(frozen=True)
class Pin:
    """A package as the lock names it.

    Attributes:
        name: Normalised.
        requirement: Version and digests, as pip reads them.
        wanted_by: The packages that ask for it.
    """

    name: str
    requirement: str
    wanted_by: frozenset[str]


def normalised(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> Mapping[str, Pin]:
    """Return the packages of a lock file by name."""
    pins = (_pin(entry) for entry in _ENTRY.split(text) if entry.strip())
    return {pin.name: pin for pin in pins}


def closure(pins: Mapping[str, Pin], names: Iterable[str]) -> Sequence[Pin]:
    """Return the packages of these names and all that they ask for, by name.

    The lock does not say for which extra a package is asked for: some that are not needed may be among them.

    Raises:
        LockIncomplete: a name has no row.
    """
    found = {pin.name for pin in chosen(pins, names)}
    while more := {pin.name for pin in pins.values() if pin.wanted_by & found} - found:
        found |= more
    return [pins[name] for name in sorted(found)]


def chosen(pins: Mapping[str, Pin], names: Iterable[str]) -> Sequence[Pin]:
    """Return the packages of these names alone.

    Raises:
        LockIncomplete: a name has no row.
    """
    wanted = sorted({normalised(name) for name in names})
    missing = [name for name in wanted if name not in pins]
    if missing:
        raise LockIncomplete(f"the lock has no {', '.join(missing)}: make it anew (docs/development.md, A dependency)")
    return [pins[name] for name in wanted]


def requirements(project: Mapping[str, object], extras: Sequence[str]) -> Sequence[str]:
    """Return what the project asks for by itself and with these extras, as `pyproject.toml` has it.

    Raises:
        LockIncomplete: there is no such extra.
    """
    table: Mapping[str, object] = _mapping(project["project"])
    optional = _mapping(table.get("optional-dependencies", {}))
    missing = [extra for extra in extras if extra not in optional]
    if missing:
        raise LockIncomplete(f"pyproject.toml has no extra {', '.join(missing)}: {', '.join(optional)}")
    return [*_strings(table["dependencies"]), *(each for extra in extras for each in _strings(optional[extra]))]


def read_project(root: Path) -> Mapping[str, object]:
    """Return `pyproject.toml` of a checkout."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def roots(name: str, project: Mapping[str, object]) -> Sequence[str]:
    """Return the packages that a name stands for: itself, or what the project asks for."""
    found = _NAME.match(name)
    if found is None or normalised(found[1]) != PROJECT:
        return [package_of(name)]
    extras = [extra.strip() for extra in (found[2] or "").split(",") if extra.strip()]
    return [package_of(each) for each in requirements(project, extras)]


def package_of(requirement: str) -> str:
    """Return the normalised name of what a requirement asks for.

    Raises:
        LockIncomplete: it begins with no name.
    """
    found = _NAME.match(requirement.strip())
    if found is None:
        raise LockIncomplete(f"{requirement!r} names no package")
    return normalised(found[1])


def _pin(entry: str) -> Pin:
    lines = [line for line in entry.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    wanted_by = frozenset(normalised(name) for name in _VIA.findall(entry) if name != "via")
    return Pin(package_of(entry), "\n".join(lines), wanted_by)


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise LockIncomplete("pyproject.toml: expected a table")
    return value


def _strings(value: object) -> Sequence[str]:
    if not isinstance(value, list):
        raise LockIncomplete("pyproject.toml: expected a list")
    return [str(each) for each in value]


def main(arguments: Sequence[str]) -> int:
    """Print the rows of what is named."""
    parser = argparse.ArgumentParser(prog="deploy.images.lock")
    parser.add_argument("--no-deps", action="store_true", help="these packages alone")
    parser.add_argument("names", nargs="+", metavar="NAME")
    asked = parser.parse_args(arguments)
    try:
        project = read_project(ROOT)
        names = [each for name in asked.names for each in roots(name, project)]
        pins = read_lock((ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8"))
        rows = chosen(pins, names) if asked.no_deps else closure(pins, names)
    except LockIncomplete as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{pin.requirement}\n" for pin in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
