"""Contract, code and README of each service, held to each other."""

import importlib
import re
from pathlib import Path

import pytest
from google.protobuf.descriptor import FileDescriptor

from deploy.local.roster import SERVICES
from services.chassis.errors import CHASSIS_ERRORS, DomainError

ROOT = Path(__file__).parents[3]
REASONS_OF_AN_RPC = re.compile(r"// ErrorReasons: ((?:[^\n]|\n\s*//)*?)\.\n((?:\s*//[^\n]*\n)*)\s*rpc (\w+)\(")
THOSE_OF_ANOTHER = re.compile(r",? and with `\w+` those of \w+$")
NO_OWN_REASONS = "none beyond those of every call"


def contract_files(service: str) -> list[Path]:
    return sorted((ROOT / "proto" / "pellicule" / service / "v1").glob("*_service.proto"))


def descriptors(service: str) -> list[FileDescriptor]:
    names = [f"pellicule.{service}.v1.{path.stem}_pb2" for path in contract_files(service)]
    return [importlib.import_module(name).DESCRIPTOR for name in names]


def rpcs(service: str) -> dict[str, str]:
    """Returns the full name of every RPC, and its short one."""
    return {
        f"/{owner.full_name}/{method.name}": method.name
        for file in descriptors(service)
        for owner in file.services_by_name.values()
        for method in owner.methods
    }


def reasons(service: str) -> set[str]:
    enum = importlib.import_module(f"pellicule.{service}.v1.error_reason_pb2").ErrorReason
    return {name.removeprefix("ERROR_REASON_") for name in enum.keys()} - {"UNSPECIFIED"}  # noqa: SIM118


def reasons_by_rpc(service: str) -> dict[str, set[str]]:
    """Returns what the comment of each RPC says it may fail for."""
    found = {}
    for path in contract_files(service):
        for listed, _, name in REASONS_OF_AN_RPC.findall(path.read_text(encoding="utf-8")):
            flat = THOSE_OF_ANOTHER.sub("", re.sub(r"\s*//\s*", " ", listed).strip())
            found[name] = set() if flat == NO_OWN_REASONS else {each.strip() for each in flat.split(",")}
    return found


def errors_of(module_name: str) -> set[str]:
    """Returns the reasons of the error classes that a module defines or passes on."""
    found = [each for each in vars(importlib.import_module(module_name)).values() if isinstance(each, type)]
    return {error.reason for error in found if issubclass(error, DomainError) and hasattr(error, "reason")}


def readme(service: str) -> str:
    return (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_the_access_table_has_a_row_for_every_rpc_and_no_other(service: str) -> None:
    assert set(importlib.import_module(f"services.{service}.access").ACCESS) == set(rpcs(service))


@pytest.mark.parametrize("service", SERVICES)
def test_every_rpc_says_why_it_may_fail(service: str) -> None:
    assert set(reasons_by_rpc(service)) == set(rpcs(service).values())


@pytest.mark.parametrize("service", SERVICES)
def test_reasons_in_comments_are_in_the_error_manual(service: str) -> None:
    said = set().union(*reasons_by_rpc(service).values())
    assert said - reasons(service) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_reason_of_its_own_is_said_of_some_rpc(service: str) -> None:
    own = reasons(service) - {error.reason for error in CHASSIS_ERRORS}
    assert own - set().union(*reasons_by_rpc(service).values()) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_error_manual_lists_what_the_code_can_answer_and_no_more(service: str) -> None:
    own, keys = errors_of(f"services.{service}.errors"), errors_of("services.keyring.errors")
    listed = reasons(service) - {error.reason for error in CHASSIS_ERRORS}
    assert (own - reasons(service), listed - own - keys) == (set(), set())


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_every_rpc(service: str) -> None:
    text = readme(service)
    assert [name for name in rpcs(service).values() if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_every_setting_that_is_not_the_chassis_s(service: str) -> None:
    own = importlib.import_module(f"services.{service}.settings").Settings.__annotations__
    text = readme(service)
    assert [name for name in own if f"PELLICULE_{name.upper()}" not in text] == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_no_setting_that_is_not_there(service: str) -> None:
    fields = importlib.import_module(f"services.{service}.settings").Settings.model_fields
    named = set(re.findall(r"PELLICULE_([A-Z0-9_]*[A-Z0-9])\b", readme(service)))
    assert named - {name.upper() for name in fields} - {"HOME"} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_answers_what_every_readme_answers(service: str) -> None:
    text = readme(service)
    missing = [each for each in ("Owns", "Promises", "RPCs", "Data", "Settings", "Alarms") if each not in text]
    assert (missing, len(text.splitlines()) <= 70) == ([], True)
