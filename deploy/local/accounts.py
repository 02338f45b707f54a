"""Accounts of the services: for root, each runs as one of its own, and reads no file of another's.

As an ordinary user they all run as that user. Numbers are enough: the accounts need no entry in the system's book.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.declarations import SERVICES
from deploy.local import authority
from deploy.local.errors import StackError
from deploy.local.home import StackHome
from deploy.local.parts.process import Account, Command
from deploy.local.settings import FIRST_ACCOUNT, StackSettings

_ROOT = Path(__file__).parents[2]
_CONTAINERS = ("keys", "pki", "data")


def service_accounts(home: StackHome, settings: StackSettings) -> Mapping[str, Account]:
    """Return whom each service runs as; nothing where all run as the starter's own account.

    Raises:
        StackError: ACCOUNTS_UNUSABLE, the operator has chosen numbers, and these accounts can run nothing here.
    """
    first = settings.first_account
    if os.geteuid() != 0 or not first:
        return {}
    accounts = {
        name: Account(first + number, first, reveals=_needed(home, settings))
        for number, name in enumerate(SERVICES, start=1)
    }
    if _can_run(next(iter(accounts.values()))):
        return accounts
    if settings.chose_accounts:
        raise StackError("ACCOUNTS_UNUSABLE", f"{_WHY}; {_REMEDY}", field=FIRST_ACCOUNT)
    return {}


def account_remark(settings: StackSettings, accounts: Mapping[str, Account]) -> str:
    """Return what an operator should know of a service's account: nothing where it has one, or none is wanted."""
    return _WHY if os.geteuid() == 0 and settings.first_account and not accounts else ""


_WHY = f"runs as root: accounts of the services' own cannot enter the private folders that hold {_ROOT} or Python here"
_REMEDY = f"choose {FIRST_ACCOUNT} anew, let everybody enter these folders, or start the stack as an ordinary user"


def hand_over(home: StackHome, accounts: Mapping[str, Account]) -> None:
    """Give each service's files to its account alone, and what all of them read to their group.

    Folders above them may be passed through, and not looked into. Without accounts all is root's again.
    """
    if os.geteuid() != 0:
        return
    for folder in (home.path, *(home.path / name for name in _CONTAINERS)):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o711 if accounts else 0o700)
    for name in SERVICES:
        account = accounts.get(name)
        for path in _own(home, name):
            _give(path, account.user if account else 0, account.group if account else 0)
    home.journal.chmod(0o750 if accounts else 0o700)
    group = next((account.group for account in accounts.values()), 0)
    for path in (home.authority, home.receipt_key, home.key(authority.JWKS), home.key(authority.SUBJECT_KEY)):
        os.chown(path, 0, group)
        path.chmod(0o640 if accounts else 0o600)


def _own(home: StackHome, service: str) -> Iterator[Path]:
    """Yield what a service alone reads: its certificate and key, its folder, the keys that are for it."""
    yield from home.certificate(service)
    yield _made(home.data(service))
    if service == "retention":
        yield home.key(authority.ROOT_KEY)
        yield from map(_made, (home.epochs, home.journal))
    if service == "consent":
        yield from map(home.key, (authority.RECEIPT_KEY, authority.RECORD_KEY))


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _give(path: Path, user: int, group: int) -> None:
    for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
        os.chown(each, user, group, follow_symlinks=False)


def _needed(home: StackHome, settings: StackSettings) -> tuple[Path, ...]:
    """Return the folders and files without which no service runs."""
    return tuple(map(Path.resolve, (_ROOT, Path(sys.prefix), Path(sys.base_prefix), home.path, *settings.files)))


def _can_run(account: Account) -> bool:
    program = Command(
        Path(sys.executable), ("-c", "import services.chassis"), log=Path(os.devnull), directory=_ROOT, account=account
    )
    run = subprocess.run(program.launch_line(), cwd=_ROOT, capture_output=True, check=False)
    return run.returncode == 0
