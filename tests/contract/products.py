"""The services that this checkout has, and what each is made of; found, never listed."""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor, ServiceDescriptor

ROOT = Path(__file__).parents[2]


def service_names() -> tuple[str, ...]:
    """Return the packages under `services` that are programs with a database: those with migrations and a main."""
    folders = sorted((ROOT / "services").iterdir())
    return tuple(f.name for f in folders if (f / "__main__.py").exists() and (f / "migrations").is_dir())


def modules_of(package: str) -> Iterator[ModuleType]:
    """Yield every module of a package but its composition root, imported."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not found.name.endswith(".__main__"):
            yield importlib.import_module(found.name)


def proto_package(service: str) -> str:
    """Return the proto package of a service."""
    return f"pellicule.{service}.v1"


def internal_package(service: str) -> str:
    """Return the proto package of what a service says to others and not to persons."""
    return f"pellicule.internal.{service}.v1"


def proto_files(package: str) -> Sequence[FileDescriptor]:
    """Return the descriptors of a package's files."""
    stubs = importlib.import_module(package)
    modules = [importlib.import_module(f"{package}.{each.name}") for each in pkgutil.iter_modules(stubs.__path__)]
    return [each.DESCRIPTOR for each in modules if hasattr(each, "DESCRIPTOR")]


def rpc_services(package: str) -> Sequence[ServiceDescriptor]:
    """Return the descriptors of a package's gRPC services."""
    return [each for file in proto_files(package) for each in file.services_by_name.values()]


def rpcs(service: str) -> Sequence[MethodDescriptor]:
    """Return the descriptors of a service's RPCs, the internal ones last."""
    packages = (proto_package(service), internal_package(service))
    return [method for package in packages for each in rpc_services(package) for method in each.methods]


def is_internal(method: MethodDescriptor) -> bool:
    """Tell whether an RPC is for services alone."""
    return bool(method.containing_service.full_name.startswith("pellicule.internal."))


def full_name(method: MethodDescriptor) -> str:
    """Return the name of an RPC as it travels: `/package.Service/Method`."""
    return f"/{method.containing_service.full_name}/{method.name}"


def enum_names(service: str, enum: str) -> dict[str, int]:
    """Return names and numbers of an enum in a service's public contract; nothing if it has none of that name."""
    for file in proto_files(proto_package(service)):
        if enum in file.enum_types_by_name:
            return {value.name: value.number for value in file.enum_types_by_name[enum].values}
    return {}
