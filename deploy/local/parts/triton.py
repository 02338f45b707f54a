"""Triton from the `nvidia-pytriton` wheel, on the CPU: the same model repository as a GPU node, other configuration."""

import contextlib
import os
import shutil
import signal
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from deploy.local.errors import StackError, program_unusable
from deploy.local.parts.lifecycle import running
from deploy.local.parts.memory_bound import GROWTH_MEGABYTES, MemoryBound
from deploy.local.parts.ports import LOOPBACK, ReservedPort
from deploy.local.parts.process import Command, ServerProcess
from deploy.local.parts.programs import package_directory

Canary: TypeAlias = Callable[[str], Awaitable[bool]]
"""Asks the server at `host:port` a question with a known answer; says whether the answer was right."""

ModelSource: TypeAlias = Callable[[], Awaitable["Models"]]
"""Makes the models ready to be served; asked before each start."""

CORE_RESOURCE = "core"
"""What a run of a model takes while it lasts, as the models' `configs/cpu.pbtxt` name it."""

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # where the python back end keeps its tensors
_BACKENDS = "backends"
_PROBE_SECONDS = 5.0
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class TritonPorts:
    """The loopback ports it needs."""

    grpc: int
    metrics: int


@dataclass(frozen=True)
class Models:
    """What it serves.

    Attributes:
        repository: The model repository; each model's `configs/cpu.pbtxt` is used where there is one.
        names: The models to load.
        canary: Tells a server that answers rightly from one that merely says that it is ready.
        environment: Variables that the models read.
    """

    repository: Path
    names: Sequence[str]
    canary: Canary
    environment: Mapping[str, str]


class TritonServer:
    """A Triton server on loopback.

    Args:
        data: Its working folder, made when it is not there.
        log: Its log file.
        ports: The ports reserved for it.
        models: Gives what it serves.
        shared_memory_prefix: Starts the name of its regions in shared memory, and of no other server's.
        growth_megabytes: By how much its memory may grow once it is ready; then it no longer counts as well.
    """

    name = "triton"

    def __init__(
        self,
        *,
        data: Path,
        log: Path,
        ports: TritonPorts,
        models: ModelSource,
        shared_memory_prefix: str,
        growth_megabytes: int = GROWTH_MEGABYTES,
    ) -> None:
        self._data = data
        self._log = log
        self._ports = ports
        self._source = models
        self._models: Models | None = None
        self._prefix = shared_memory_prefix
        self._started = 0.0
        self._growth_megabytes = growth_megabytes
        self._process: ServerProcess | None = None
        self._bound: MemoryBound | None = None

    @property
    def address(self) -> str:
        """`host:port` of its gRPC endpoint."""
        return f"{LOOPBACK}:{self._ports.grpc}"

    @property
    def metrics_address(self) -> str:
        """`host:port` of the page with its measurements."""
        return f"{LOOPBACK}:{self._ports.metrics}"

    async def start(self) -> ServerProcess:
        """Check what the model process needs and start the server."""
        libraries = shared_python_directory()
        package = package_directory("pytriton", package="nvidia-pytriton")
        _link_backend(package / "tritonserver", self._data / _BACKENDS / "python")
        self._models = await self._source()
        self._started = time.time()
        self._bound = None
        self._process = ServerProcess.start(self._command(package, libraries, self._models))
        return self._process

    async def probe(self) -> bool:
        """Asks whether it is ready, and then does not believe it: the canary decides.

        With a dead model process, live, ready and model-ready stay green while every request fails.
        """
        if self._has_outgrown():
            return False
        import grpc
        import tritonclient.grpc.aio as triton
        from tritonclient.utils import InferenceServerException

        try:
            async with triton.InferenceServerClient(self.address) as client:
                if not await client.is_server_ready(client_timeout=_PROBE_SECONDS):
                    return False
            return self._models is not None and await self._models.canary(self.address)
        except (InferenceServerException, grpc.RpcError):
            return False

    async def provision(self) -> None:
        """Note what it holds, and remove the empty folder that it has just left in /tmp and never uses here."""
        if self._process is not None:
            self._bound = MemoryBound(self._process.pid, self._growth_megabytes)
        for folder in _unused_environments(since=self._started):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _has_outgrown(self) -> bool:
        """Say in its log, where its last words are looked for, that its memory has grown too much."""
        excess = self._bound.excess() if self._bound else ""
        if excess:
            with self._log.open("a", encoding="utf-8") as log:
                log.write(f"{excess}\n")
        return bool(excess)

    def litter(self) -> Sequence[str]:
        """Return its regions of shared memory, which a crash leaves behind, and folders that it never used."""
        return (f"{SHARED_MEMORY}/{self._prefix}*", *map(str, _unused_environments(since=self._started)))

    def _command(self, package: Path, libraries: Path, models: Models) -> Command:
        return Command(
            package / "tritonserver" / "bin" / "tritonserver",
            (*_FLAGS, *self._place_flags(models.repository), *(f"--load-model={name}" for name in models.names)),
            log=self._log,
            directory=self._data,
            environment={**models.environment, **_environment(package, libraries)},
            stop_signal=signal.SIGTERM,
            grace=2.0,
        )

    def _place_flags(self, repository: Path) -> tuple[str, ...]:
        return (
            f"--model-repository={os.path.relpath(repository, self._data)}",
            # Relative to its working folder: it hands what is in here to a shell, without quotes.
            f"--backend-directory={_BACKENDS}",
            f"--grpc-port={self._ports.grpc}",
            f"--metrics-port={self._ports.metrics}",
            f"--backend-config=python,shm-region-prefix-name={self._prefix}",
            "--backend-config=python,shm-default-byte-size=1048576",
            # As many runs at a time as there are cores, over all models that declare this resource: more only take
            # turns, and each turn begins with a cold cache.
            "--rate-limit=execution_count",
            f"--rate-limit-resource={CORE_RESOURCE}:{len(os.sched_getaffinity(0))}",
        )


_FLAGS = (
    "--allow-http=false",
    f"--grpc-address={LOOPBACK}",
    f"--metrics-address={LOOPBACK}",
    "--allow-gpu-metrics=false",
    # The services ping every 20 s (wire.py), also while they have nothing to ask; it would hang up on them for it.
    "--grpc-keepalive-permit-without-calls=true",
    "--grpc-http2-min-recv-ping-interval-without-data=10000",
    "--model-config-name=cpu",
    "--model-control-mode=explicit",
    "--disable-auto-complete-config",
    "--exit-timeout-secs=5",
    "--exit-on-error=true",
)


def new_shared_memory_prefix() -> str:
    """Make a prefix that no other server on this machine has."""
    return f"pellicule_{uuid4().hex[:12]}_"


def shared_python_directory() -> Path:
    """Return the folder of the shared Python library, which Triton's model process is linked with.

    Raises:
        StackError: LIBPYTHON_MISSING, with the name of the package that has it.
    """
    library = f"libpython{_VERSION}.so.1.0"
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    places = [
        Path(sys.base_prefix) / "lib",
        Path(str(sysconfig.get_config_var("LIBDIR"))),
        *(Path(base) / multiarch for base in ("/usr/lib", "/lib", "/usr/local/lib")),
    ]
    for place in places:
        if (place / library).exists():
            return place
    remedy = f"install it (Debian: apt-get install libpython{_VERSION})"
    raise StackError("LIBPYTHON_MISSING", f"Triton needs {library}, which is not here: {remedy}", field="triton")


def _link_backend(server: Path, folder: Path) -> None:
    """Bring the back end and the model process of this Python together: the wheel keeps one per version.

    The model process is a copy: the server takes every right from it but the owner's to run it, and the environment
    may be another account's, or be used by several.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    model_process = server / "python_backend_stubs" / _VERSION / "triton_python_backend_stub"
    for file in (server / "backends" / "python").iterdir():
        link = folder / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(file)
    (folder / model_process.name).unlink(missing_ok=True)
    try:
        shutil.copy(model_process, folder)
    except PermissionError as error:
        raise program_unusable(model_process) from error


def _environment(package: Path, libraries: Path) -> Mapping[str, str]:
    # The model process finds its Python by PATH alone (PYTHONPATH is ignored), so this environment comes first.
    scripts = sysconfig.get_path("scripts")
    return {
        "PATH": f"{scripts}:{os.environ.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": f"{package.parent}/nvidia_pytriton.libs:{libraries}",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # A tensor's memory goes back to the system with it. Left to itself, malloc raises both thresholds up to the
        # largest tensor seen, and keeps what a burst needed.
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "131072",
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@asynccontextmanager
async def triton_server(folder: Path, models: ModelSource) -> AsyncIterator[TritonServer]:
    """Run a Triton server of its own, its log under `folder`, for as long as the block lasts."""
    reserved = [ReservedPort(), ReservedPort()]
    server = TritonServer(
        data=folder / "triton",
        log=folder / "triton.log",
        ports=TritonPorts(*(port.number for port in reserved)),
        models=models,
        shared_memory_prefix=new_shared_memory_prefix(),
    )
    try:
        async with running(server):
            yield server
    finally:
        for port in reserved:
            port.close()


def _unused_environments(*, since: float) -> Sequence[Path]:
    """Return this user's empty `/tmp/python_env_*` that came into being since a time (seconds since 1970).

    The Python back end makes one at each start, for environments that come packed with a model, and leaves it
    there; ours come with none.
    """
    if not since:
        return ()
    return [folder for folder in Path("/tmp").glob("python_env_*") if _is_ours(folder, since)]  # noqa: S108


def _is_ours(folder: Path, since: float) -> bool:
    try:
        status = folder.lstat()
        return status.st_uid == os.geteuid() and status.st_ctime >= since and not any(folder.iterdir())
    except OSError:
        return False
