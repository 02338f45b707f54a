import sys
import sysconfig
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.parts import triton
from deploy.local.parts.programs import environment_program, package_directory


def test_a_missing_program_is_named_with_its_package_and_the_remedy() -> None:
    with pytest.raises(
        StackError, match=r"mongod \(package mongodb-bin\) is not installed: run `deploy/demo`"
    ) as error:
        environment_program("mongod", package="mongodb-bin")
    assert error.value.reason == "PROGRAM_MISSING"


def test_a_missing_package_is_named() -> None:
    with pytest.raises(StackError, match="no_such_package"):
        package_directory("no_such_package", package="no-such-package")


def test_a_missing_python_library_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: str(tmp_path))
    with pytest.raises(StackError, match=r"apt-get install libpython3\.11") as error:
        triton.shared_python_directory()
    assert error.value.reason == "LIBPYTHON_MISSING"
