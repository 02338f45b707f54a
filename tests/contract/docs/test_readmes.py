"""The README of each service, held to its contract and its settings."""

import importlib
import re

import pytest

from tests.contract.products import ROOT, rpcs, service_names

ANSWERS = ("owns", "promises", "rpc", "data", "settings", "alarms")
OF_THE_STACK = {"HOME"}


def readme(service: str) -> str:
    return (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("service", service_names())
def test_the_readme_names_every_rpc(service: str) -> None:
    text = readme(service)
    assert [each.name for each in rpcs(service) if not re.search(rf"\b{each.name}\b", text)] == []


@pytest.mark.parametrize("service", service_names())
def test_the_readme_names_every_setting_that_is_the_service_s_own(service: str) -> None:
    own = importlib.import_module(f"services.{service}.settings").Settings.__annotations__
    text = readme(service)
    assert [name for name in own if f"PELLICULE_{name.upper()}" not in text] == []


@pytest.mark.parametrize("service", service_names())
def test_the_readme_names_no_setting_that_is_not_there(service: str) -> None:
    fields = importlib.import_module(f"services.{service}.settings").Settings.model_fields
    named = set(re.findall(r"PELLICULE_([A-Z0-9_]*[A-Z0-9])\b", readme(service)))
    assert named - {name.upper() for name in fields} - OF_THE_STACK == set()


@pytest.mark.parametrize("service", service_names())
def test_the_readme_answers_what_every_readme_answers(service: str) -> None:
    marked = re.findall(r"\*\*.+?\*\*|^#+ .+$|^\| RPC", readme(service), re.MULTILINE)
    assert [each for each in ANSWERS if each not in " ".join(marked).lower()] == []
