"""What an operator can set: everything that the stack does not choose itself, and all of it documented."""

import re
from pathlib import Path

from deploy.local.authority import ensure_credentials
from deploy.local.home import StackHome
from deploy.local.parts.service import ServiceProcess
from deploy.local.plan import make_plan
from deploy.local.settings import PREFIX, setting_names
from services.chassis.clock import SystemClock
from tests.contract.products import ROOT

_MAY_BE_REPLACED = {"TOKEN_JWKS_FILE"}
"""The issuer's public keys: those of the stack's own issuer, unless there is another."""


def _chosen_by_the_stack(home: StackHome) -> set[str]:
    home.make()
    ensure_credentials(home, SystemClock())
    plan = make_plan(home, "seaweedfs")
    plan.ports.close()
    services = [unit.part for unit in plan.units if isinstance(unit.part, ServiceProcess)]
    return {name.removeprefix(PREFIX) for service in services for name in service.environment}


def test_what_the_stack_chooses_is_nothing_that_can_be_set(tmp_path: Path) -> None:
    assert _chosen_by_the_stack(StackHome(tmp_path / "home")) & setting_names() == _MAY_BE_REPLACED


def test_every_setting_is_documented_and_no_other() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`PELLICULE_([A-Z0-9_]+)`", text))
    ports = {name for name in setting_names() if name.startswith("PORT_")}
    assert documented - ports - {"HOME"} == setting_names() - ports
