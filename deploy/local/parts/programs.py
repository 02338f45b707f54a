"""Where the server programs are: in the environment that runs this code, never on the machine's PATH."""

import importlib.util
import sysconfig
from pathlib import Path

from deploy.local.errors import program_missing


def environment_program(name: str, *, package: str) -> Path:
    """Returns the path of a program that a package put into this environment.

    Raises:
        StackError: PROGRAM_MISSING.
    """
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.is_file():
        raise program_missing(name, package)
    return path


def package_directory(module: str, *, package: str) -> Path:
    """Returns the folder of an installed Python package without importing it.

    Raises:
        StackError: PROGRAM_MISSING.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise program_missing(module, package)
    return Path(spec.origin).parent
