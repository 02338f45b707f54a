"""Server programs: in the environment that runs this code, never on the machine's PATH."""

import importlib.util
import os
import sysconfig
from pathlib import Path

from deploy.local.errors import program_missing, program_unusable


def environment_program(name: str, *, package: str) -> Path:
    """Return the path of a program that a package put into this environment.

    Raises:
        StackError: PROGRAM_MISSING; PROGRAM_UNUSABLE, it is not for this account.
    """
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.is_file():
        raise program_missing(name, package)
    if not os.access(path, os.X_OK):
        raise program_unusable(path)
    return path


def package_directory(module: str, *, package: str) -> Path:
    """Return the folder of an installed Python package without importing it.

    Raises:
        StackError: PROGRAM_MISSING.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise program_missing(module, package)
    return Path(spec.origin).parent
