"""The smoke test that `helm test` runs, on a whole stack."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from deploy.local import authority
from services.chassis.clock import SystemClock
from services.chassis.tokens import mint_token
from tests.e2e.harness import RunningStack

STEPS = 8


def _smoke(stack: RunningStack, **told: str) -> subprocess.CompletedProcess[str]:
    services = ("consent", "ingest", "analysis", "suggestion", "retention")
    addresses = {f"SMOKE_{name.upper()}": f"https://{stack.address(name)}" for name in services}
    return subprocess.run(
        [sys.executable, "-m", "services.cli.smoke"],
        env={**os.environ, **addresses, "SMOKE_CA_FILE": str(stack.home.authority), **told},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


def test_a_person_goes_the_whole_way_and_leaves_nothing(stack: RunningStack) -> None:
    done = _smoke(stack, SMOKE_ISSUER_KEY_FILE=str(stack.home.key(authority.TOKEN_KEY)))

    assert done.returncode == 0, done.stdout + done.stderr
    assert [line[:2] for line in done.stdout.splitlines()] == ["ok"] * STEPS


def test_a_person_who_has_photos_here_loses_none(stack: RunningStack, roll: Path, tmp_path: Path) -> None:
    kept = stack.bring_in(roll, "smoked")
    token = mint_token(
        stack.home.key(authority.TOKEN_KEY).read_bytes(), issuer="pellicule-local", audience="pellicule",
        subject="smoked", ttl=timedelta(hours=1), clock=SystemClock(),
    )  # fmt: skip
    (tmp_path / "token").write_text(token, encoding="utf-8")

    done = _smoke(stack, SMOKE_TOKEN_FILE=str(tmp_path / "token"))

    assert done.returncode == 1
    assert "PERSON_KNOWN" in done.stderr
    assert set(stack.findings("smoked")) == set(kept)
