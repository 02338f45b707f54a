"""The smoke test's own parts: who its person is, what it draws, and what it says when a step fails."""

from pathlib import Path

import grpc
import pytest
from PIL import Image

from services.cli.output import CommandFailed
from services.cli.photos import roll
from services.cli.smoke.pictures import COUNT, draw
from services.cli.smoke.settings import SmokeSettings
from services.cli.smoke.steps import StepFailed, Steps
from services.suggestion.domain.ideas import TIDY_MIN
from tests.fakes.clock import FakeClock

SERVICES = ("CONSENT", "INGEST", "ANALYSIS", "SUGGESTION", "RETENTION")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in SERVICES:
        monkeypatch.setenv(f"SMOKE_{name}", f"https://pellicule-{name.lower()}:443")
    monkeypatch.setenv("SMOKE_CA_FILE", "/etc/ca.crt")
    return monkeypatch


def test_each_service_has_its_address(told: pytest.MonkeyPatch) -> None:
    told.setenv("SMOKE_TOKEN_FILE", "/etc/token")

    assert SmokeSettings().addresses["ingest"] == "https://pellicule-ingest:443"


@pytest.mark.parametrize("given", [(), ("SMOKE_TOKEN_FILE", "SMOKE_ISSUER_KEY_FILE")])
def test_there_is_one_way_to_be_somebody(given: tuple[str, ...], told: pytest.MonkeyPatch) -> None:
    for name in given:
        told.setenv(name, "/etc/file")

    with pytest.raises(ValueError, match="SMOKE_TOKEN_FILE and SMOKE_ISSUER_KEY_FILE"):
        SmokeSettings()


def test_a_phone_takes_what_is_drawn_for_screenshots_and_they_are_enough_for_an_idea(tmp_path: Path) -> None:
    described = [roll.describe(path, tmp_path) for path in draw(tmp_path, "run")]

    assert [file.screenshot for file in described] == [True] * COUNT
    assert COUNT >= TIDY_MIN
    assert len({file.sha256 for file in described}) == COUNT


def test_two_runs_draw_other_pictures(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Image.open(draw(tmp_path / "one", "one")[0]) as one, Image.open(draw(tmp_path / "two", "two")[0]) as two:
        assert one.tobytes() != two.tobytes()


def test_a_step_that_is_done_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps(FakeClock()).step("pictures are stored", remedy="look"):
        pass

    assert capsys.readouterr().out == "ok  pictures are stored (0.0 s)\n"


def test_a_step_that_fails_names_itself_the_reason_and_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(StepFailed, match=r"^pictures are stored: QUOTA: it is full; look at ingest$"),
        Steps(FakeClock()).step("pictures are stored", remedy="look at ingest"),
    ):
        raise CommandFailed("QUOTA", "it is full")

    assert capsys.readouterr().out == ""


def test_a_call_that_fails_names_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    away = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "no route")
    with (
        pytest.raises(StepFailed, match=r"^consent answers: .*no route; are its pods ready"),
        Steps(FakeClock()).step("consent answers", remedy="are its pods ready?"),
    ):
        raise away
