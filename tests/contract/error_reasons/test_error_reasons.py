"""The enum ErrorReason is the error manual of a service: what it lists is raised, and what is raised is listed."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from services.chassis.errors import DomainError
from tests.contract.products import ROOT, enum_names, modules_of, rpcs, service_names

_PREFIX = "ERROR_REASON_"
_SHARED = ("chassis", "keyring")
"""Packages whose errors reach a service's callers as its own."""
_RPC = re.compile(r"((?:^ *//.*\n)+) *rpc (\w+)", re.MULTILINE)
_VALUE = re.compile(r"((?:^ *//.*\n)+) *ERROR_REASON_(\w+) = [1-9]", re.MULTILINE)
_REASON = re.compile(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b")


def _reasons(service: str) -> set[str]:
    names = enum_names(service, "ErrorReason")
    return {name.removeprefix(_PREFIX) for name in names} - {"UNSPECIFIED"}


@cache
def _errors_of(package: str) -> frozenset[type[DomainError]]:
    """Return the errors that a package defines and that have a reason of their own."""
    for _ in modules_of(f"services.{package}"):
        pass
    return frozenset(error for error in _subclasses(DomainError) if error.__module__.startswith(f"services.{package}."))


def _subclasses(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for subclass in error.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


@cache
def _names_used(package: str) -> frozenset[str]:
    """Return the names that the code of a package refers to, but for imports and definitions."""
    sources = (ROOT / "services" / package).rglob("*.py")
    trees = (ast.parse(source.read_text(encoding="utf-8")) for source in sources)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return frozenset(names | {node.attr for node in nodes if isinstance(node, ast.Attribute)})


def _comments(service: str) -> dict[str, str]:
    """Return the comment of each RPC, in one line, as it stands in the .proto files."""
    found = {}
    packages = (ROOT / "proto" / "pellicule" / service, ROOT / "proto" / "pellicule" / "internal" / service)
    for file in (file for package in packages for file in package.glob("v1/*.proto")):
        for comment, rpc in _RPC.findall(file.read_text(encoding="utf-8")):
            found[rpc] = " ".join(line.strip().removeprefix("//").strip() for line in comment.splitlines())
    return found


def _promised(comment: str) -> set[str]:
    return set(_REASON.findall(comment.partition("ErrorReasons: ")[2]))


_SERVICES = service_names()


@pytest.mark.parametrize("service", _SERVICES)
def test_every_reason_is_raised_by_the_service_or_by_what_it_stands_on(service: str) -> None:
    packages = (service, *_SHARED)
    errors = {error for package in packages for error in _errors_of(package)}
    used = {name for package in packages for name in _names_used(package)}
    raised = {error.__dict__.get("reason") for error in errors if error.__name__ in used}

    assert _reasons(service) - raised == set()


@pytest.mark.parametrize("service", _SERVICES)
def test_every_error_of_a_service_has_its_reason_in_the_enum(service: str) -> None:
    reasons = {error.reason for error in _errors_of(service) if "reason" in error.__dict__}

    assert reasons - _reasons(service) == set()


@pytest.mark.parametrize("service", _SERVICES)
def test_every_rpc_says_which_reasons_it_returns(service: str) -> None:
    comments = _comments(service)

    assert [rpc.name for rpc in rpcs(service) if "ErrorReasons: " not in comments.get(rpc.name, "")] == []


@pytest.mark.parametrize("service", _SERVICES)
def test_every_reason_that_an_rpc_promises_is_in_the_enum(service: str) -> None:
    promised = {rpc: _promised(comment) for rpc, comment in _comments(service).items()}

    assert {rpc: reasons - _reasons(service) for rpc, reasons in promised.items() if reasons - _reasons(service)} == {}


@pytest.mark.parametrize("service", _SERVICES)
def test_every_reason_of_the_services_own_is_promised_by_an_rpc(service: str) -> None:
    of_every_call = {error.reason for error in _errors_of("chassis")}
    promised = {reason for comment in _comments(service).values() for reason in _promised(comment)}

    assert _reasons(service) - of_every_call - promised == set()


@pytest.mark.parametrize("service", _SERVICES)
def test_every_reason_is_documented_with_a_sample(service: str) -> None:
    file = ROOT / "proto" / "pellicule" / service / "v1" / "error_reason.proto"
    values = _VALUE.findall(file.read_text(encoding="utf-8"))

    assert [name for comment, name in values if "Sample:" not in comment] == []
