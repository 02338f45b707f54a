"""The commands about engines, as a person or a script calls them."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from inference.engines.manifest import KEY
from inference.model_build.build import build_all
from inference.model_build.build import default_home as models_home
from services.cli.__main__ import application
from tests.fakes.tensorrt import Machine, install

MODEL = "face_embedder"


@pytest.fixture(scope="module", autouse=True)
def models() -> None:
    build_all(models_home())


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thi machine becomes a GPU node."""
    monkeypatch.setenv("PATH", f"{install(tmp_path / 'bin', Machine())}:{os.environ['PATH']}")
    monkeypatch.setenv("NVIDIA_TRITON_SERVER_VERSION", "24.10")
    return tmp_path / "bin"


def call(*words: str) -> Result:
    return CliRunner().invoke(application("engines"), ["engines", *words])


def rows(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_plan_needs_no_gpu_and_names_key_and_commands() -> None:
    (ten,) = rows(call("plan", MODEL, "--gpu", "A100", "--json"))
    (eleven,) = rows(
        call("plan", MODEL, "--sm", "100", "--triton-tag", "30.01-py3", "--tensorrt", "11.1.0.106", "--json")
    )

    assert KEY.match(str(ten["key"]))
    assert str(ten["key"]).startswith(f"{MODEL}/24.10-py3-trt10.5.0.18-sm80-fp16-")
    assert "--stronglyTyped" in str(ten["commands"])
    assert "--stronglyTyped" not in str(eleven["commands"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("plan", "--gpu", "Voodoo"), "ENGINE_TARGET_UNKNOWN"),
        (("plan", "unheard_of", "--gpu", "L4"), "ENGINE_PROFILE_INVALID"),
        (("build",), "ENGINE_TENSORRT_MISSING"),
        (("publish",), "SETTING_MISSING"),
        (("verify", "no/key", "--anywhere"), "ENGINE_MISSING"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_its_reason(
    words: tuple[str, ...], reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY"):
        monkeypatch.delenv(f"PELLICULE_S3_{name}", raising=False)

    result = call(*words, "--json")

    assert result.exit_code == 1
    assert [row["error"]["reason"] for row in rows(result)] == [reason]  # type: ignore[index]


@pytest.mark.usefixtures("node")
def test_an_engine_is_built_verified_and_installed(tmp_path: Path) -> None:
    home = ("--engines", str(tmp_path / "engines"), "--json")

    (built,) = rows(call("build", MODEL, *home))
    (verified,) = rows(call("verify", "--again", *home))
    (installed,) = rows(call("install", str(tmp_path / "repository"), str(built["key"]), *home))

    assert verified == built
    assert Path(str(installed["path"])) == tmp_path / "repository" / MODEL / "1" / "model.plan"
    assert Path(str(installed["path"])).is_file()
    assert f"{MODEL}-1" in (tmp_path / "repository" / MODEL / "config.pbtxt").read_text("utf-8")
