"""The services that this checkout has, and what each is made of; found, never listed."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor, ServiceDescriptor

ROOT = Path(__file__).parents[2]


def service_names() -> tuple[str, ...]:
    """Returns the packages under `services` that are programs with a database: those with migrations and a main."""
    folders = sorted((ROOT / "services").iterdir())
    return tuple(f.name for f in folders if (f / "__main__.py").exists() and (f / "migrations").is_dir())


def modules_of(package: str) -> Iterator[ModuleType]:
    """Yields every module of a package but its composition root, imported."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not found.name.endswith(".__main__"):
            yield importlib.import_module(found.name)


def proto_package(service: str) -> str:
    """Returns the proto package of a service."""
    return f"pellicule.{service}.v1"


def proto_files(service: str) -> Sequence[FileDescriptor]:
    """Returns the descriptors of a service's contract."""
    package = importlib.import_module(proto_package(service))
    stubs = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    return [stub.DESCRIPTOR for stub in stubs if hasattr(stub, "DESCRIPTOR")]


def rpc_services(service: str) -> Sequence[ServiceDescriptor]:
    """Returns the descriptors of a service's gRPC services."""
    return [each for file in proto_files(service) for each in file.services_by_name.values()]


def rpcs(service: str) -> Sequence[MethodDescriptor]:
    """Returns the descriptors of a service's RPCs."""
    return [method for each in rpc_services(service) for method in each.methods]


def full_name(method: MethodDescriptor) -> str:
    """Returns the name of an RPC as it travels: `/package.Service/Method`."""
    return f"/{method.containing_service.full_name}/{method.name}"


def enum_names(service: str, enum: str) -> dict[str, int]:
    """Returns names and numbers of an enum in a service's contract; nothing if it has none of that name."""
    for file in proto_files(service):
        if enum in file.enum_types_by_name:
            return {value.name: value.number for value in file.enum_types_by_name[enum].values}
    return {}
