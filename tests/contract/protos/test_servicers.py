"""What the contracts promise is served, and somebody has called it over a real connection."""

import importlib
import re

from google.protobuf.descriptor import MethodDescriptor

from tests.contract.products import ROOT, full_name, modules_of, rpcs, service_names

_RPCS = {full_name(rpc): (service, rpc) for service in service_names() for rpc in rpcs(service)}
_CALLERS = ("tests/integration", "tests/e2e", "services/keyring", "services/cli", "services/suggestion/clients")
"""Where RPCs are called; the clients among them are run by those tests."""


def _is_served(service: str, rpc: MethodDescriptor) -> bool:
    modules = {module.__name__ for module in modules_of(f"services.{service}")}
    servicers = [each for each in _generated(rpc).__subclasses__() if each.__module__ in modules]
    return any(rpc.name in vars(servicer) for servicer in servicers)


def _generated(rpc: MethodDescriptor) -> type[object]:
    file = rpc.containing_service.file.name.removesuffix(".proto").replace("/", ".")
    generated: type[object] = getattr(
        importlib.import_module(f"{file}_pb2_grpc"), f"{rpc.containing_service.name}Servicer"
    )
    return generated


def test_every_rpc_is_served() -> None:
    assert [name for name, (service, rpc) in sorted(_RPCS.items()) if not _is_served(service, rpc)] == []


def test_every_rpc_is_called_over_a_connection() -> None:
    files = [file for folder in _CALLERS for file in (ROOT / folder).rglob("*.py")]
    called = set(re.findall(r"\.(\w+)\(", "\n".join(file.read_text(encoding="utf-8") for file in files)))

    assert [name for name, (_, rpc) in sorted(_RPCS.items()) if rpc.name not in called] == []
