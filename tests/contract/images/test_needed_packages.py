"""The packages of the service image are enough: what runs in it can be imported with no other in sight."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions
from typing import Final

import pytest

from deploy.images.lock import PROJECT, closure, normalised, read_lock, read_project, requirements, roots
from deploy.images.reach import reached
from tests.contract.products import ROOT, service_names

_EXTRA: Final = "cluster"
_LOCAL: Final = "services.cli"
"""A part of the command line starts a stack on one machine, and needs what that does."""
_PROGRAMS: Final = (
    *(f"services.cli.{group}.commands" for group in ("photos", "ideas", "consent", "account")),
    "services.cli.smoke.__main__",
    "deploy.provision.__main__",
    "inference.publishing.__main__",
    "inference.canary.__main__",
)
"""What else begins in a container of this image."""

# Imports every module of the packages named, where whatever belongs to another distribution is not to be found.
_PROGRAM: Final = """
import importlib, importlib.abc, json, pkgutil, sys

hidden, names = json.loads(sys.argv[1])

class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"{name} is hidden", name=name)
        return None

sys.meta_path.insert(0, Hidden())
failed = {}
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        failed[name] = error.name
print(json.dumps(failed))
"""


@pytest.fixture(scope="module")
def in_image() -> frozenset[str]:
    """Return the names of the distributions that the image is left with."""
    return reached(requirements(read_project(ROOT), [_EXTRA])) | {PROJECT}


@pytest.fixture(scope="module")
def failed(in_image: frozenset[str]) -> Mapping[str, str]:
    """Import everything once; return which modules fail, each with the package that it lacks."""
    names = [*_modules("services"), *_modules("inference/client"), *_PROGRAMS]
    assert {f"services.{name}.__main__" for name in service_names()} <= set(names)
    return _failures(in_image, names)


def _modules(folder: str) -> Iterator[str]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if not module.endswith("services.cli.__main__"):
            yield module


def _failures(in_image: frozenset[str], names: Sequence[str]) -> Mapping[str, str]:
    hidden = [
        top
        for top, owners in packages_distributions().items()
        if top.isidentifier() and not {normalised(owner) for owner in owners} & in_image
    ]
    command = [sys.executable, "-c", _PROGRAM, json.dumps([hidden, names])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    failed: Mapping[str, str] = json.loads(done.stdout)
    return failed


def test_the_lock_gives_at_least_what_the_project_reaches(in_image: frozenset[str]) -> None:
    pins = read_lock((ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8"))
    locked = {pin.name for pin in closure(pins, roots(f"{PROJECT}[{_EXTRA}]", read_project(ROOT)))}

    assert in_image - {PROJECT} - locked == set()
    assert {"pytest", "onnxruntime", "nvidia-pytriton", "torch"} & locked == set()


def test_every_service_can_be_imported_with_the_packages_of_its_image(failed: Mapping[str, str]) -> None:
    assert {name: lacks for name, lacks in failed.items() if not name.startswith(_LOCAL)} == {}


@pytest.mark.parametrize("program", _PROGRAMS)
def test_what_else_runs_in_the_image_can_be_imported_with_them(failed: Mapping[str, str], program: str) -> None:
    assert program not in failed


def test_what_is_not_in_the_image_is_not_seen(failed: Mapping[str, str]) -> None:
    assert failed["services.cli.stack.commands"] == "psutil"
