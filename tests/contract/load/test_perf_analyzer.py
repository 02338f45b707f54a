"""The Job that runs Triton's own load generator is bounded, harmless, and does what its comment says."""

import shlex
from pathlib import Path

import yaml

from inference.model_build.manifest import shipped_model
from inference.repository import SHIPPED

MANIFEST = Path(__file__).parents[2] / "load" / "inference" / "perf_analyzer.job.yaml"


def _job() -> dict[str, object]:
    document: dict[str, object] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return document


def _dig(document: object, *path: str | int) -> object:
    for step in path:
        document = document[step]  # type: ignore[index]
    return document


def test_it_ends_by_itself_and_is_not_tried_again() -> None:
    assert _dig(_job(), "spec", "backoffLimit") == 0
    assert _dig(_job(), "spec", "activeDeadlineSeconds") == 3600
    assert _dig(_job(), "spec", "template", "spec", "restartPolicy") == "Never"


def test_it_may_do_nothing_but_ask() -> None:
    pod = _dig(_job(), "spec", "template", "spec")
    container = _dig(pod, "containers", 0)

    assert _dig(pod, "automountServiceAccountToken") is False
    assert _dig(pod, "securityContext", "runAsNonRoot") is True
    assert _dig(container, "securityContext") == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(_dig(container, "resources", "limits")) == {"cpu", "memory"}  # type: ignore[call-overload]


def test_the_command_of_the_comment_is_the_command_of_the_job() -> None:
    container = _dig(_job(), "spec", "template", "spec", "containers", 0)
    lines = MANIFEST.read_text("utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if "perf_analyzer -m" in line)
    said = " ".join(line.removeprefix("#").strip().removesuffix("\\") for line in lines[first : first + 3])

    assert shlex.split(said) == [*_dig(container, "command"), *_dig(container, "args")]  # type: ignore[misc]


def test_it_asks_a_model_that_is_served() -> None:
    arguments = _dig(_job(), "spec", "template", "spec", "containers", 0, "args")
    model = shipped_model(str(_dig(arguments, 1)))

    assert (SHIPPED / model.name / "config.pbtxt").exists()
