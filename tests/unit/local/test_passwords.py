from pathlib import Path

from deploy.local.credentials import Passwords
from deploy.local.home import StackHome


def test_passwords_are_kept(tmp_path: Path) -> None:
    first = Passwords.ensure(StackHome(tmp_path), ["consent"])
    again = Passwords.ensure(StackHome(tmp_path), ["consent", "ingest"])
    assert again.of("consent") == first.of("consent")


def test_no_two_passwords_are_alike(tmp_path: Path) -> None:
    passwords = Passwords.ensure(StackHome(tmp_path), ["consent", "ingest"])
    assert passwords.of("consent") != passwords.of("ingest")


def test_passwords_are_their_owners_alone(tmp_path: Path) -> None:
    Passwords.ensure(StackHome(tmp_path), ["consent"])
    assert StackHome(tmp_path).secrets.stat().st_mode & 0o077 == 0
