"""Jobs of the models' chart: engines and load, with commands that the programs know."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
import typer.main

from inference.canary.__main__ import main as canary_command
from inference.engines.profiles import served_models
from inference.load.__main__ import main as load_command
from inference.load.keeping import keep as keep_command
from inference.model_build.manifest import shipped_models
from inference.publishing.__main__ import fetch as fetch_command
from services.cli.__main__ import application
from tests.contract.charts.inference_objects import CARDS, ENGINES, KSERVE, LOAD, objects_of, server_of
from tests.contract.charts.pods import environment, pods
from tests.contract.charts.releases import at, chart
from tests.contract.charts.rules_of_objects import of_kind


class TestJobs:
    def test_engines_are_built_where_they_serve_with_the_image_that_serves(self) -> None:
        node = {"server": {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L4"}}}
        objects = objects_of(CARDS, ENGINES, node)
        job, server = next(pod for pod in pods(objects) if pod.kind == "Job"), server_of(objects)
        (container,) = job.spec["containers"]

        assert job.spec["nodeSelector"] == server.spec["nodeSelector"]
        assert container["image"] == server.containers[-2]["image"]
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
        assert job.containers[0]["args"][:2] == ["inference.publishing", "cpu-00000000000f"]

    def test_they_can_be_built_where_no_server_is_yet(self) -> None:
        alone = {"server": {"replicas": 0}, "autoscaling": {"enabled": False}}
        (deployment,) = of_kind(objects_of(CARDS, ENGINES, alone), "Deployment")

        assert deployment.at("spec", "replicas") == 0

    def test_its_commands_are_the_command_line_s(self) -> None:
        job = next(pod for pod in pods(objects_of(CARDS, ENGINES)) if pod.kind == "Job")
        script = job.spec["containers"][0]["command"][-1]
        command: Any = typer.main.get_command(application())
        lines = re.findall(r"pellicule (\w+) (\w+)((?: [^\s|>]+)*)", script)

        assert [line[:2] for line in lines] == [
            ("models", "build"), ("engines", "fetch"), ("engines", "build"), ("engines", "publish"),
            ("engines", "install"), ("models", "publish"),
        ]  # fmt: skip
        for group, name, rest in lines:
            known = {option for each in command.commands[group].commands[name].params for option in each.opts}
            assert {word for word in rest.split() if word.startswith("--")} <= known

    def test_what_is_made_of_something_else_is_another_job(self) -> None:
        first, second = (
            {each.name for each in of_kind(objects_of(CARDS, ENGINES, LOAD, layer), "Job")}
            for layer in ({}, {"image": {"digest": "sha256:" + "1" * 64}})
        )

        assert len(first) == len(second) == 3
        assert first & second == set()

    @pytest.mark.parametrize("claim", ["", "results"])
    def test_results_of_a_load_are_kept(self, claim: str) -> None:
        made = [pod for pod in pods(objects_of(LOAD, at("load.claim", claim))) if pod.kind == "Job"]

        assert len(made) == 2
        for job in made:
            (keeping,) = job.spec["containers"]
            assert keeping["args"][:2] == ["inference.load.keeping", "/results"]
            assert ("kept" in job.volumes) == bool(claim)
            assert ("PELLICULE_S3_ENDPOINT" in environment(keeping)) == (not claim)

    def test_a_load_asks_models_that_are_served(self) -> None:
        served = {*(model.name for model in shipped_models()), *served_models(())}
        loaded = chart("inference").handle.values["load"]

        assert {*loaded["scenarios"]["models"], loaded["perfAnalyzer"]["model"]} <= served


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("inference.canary", canary_command),
        ("inference.publishing", fetch_command),
        ("inference.load", load_command),
        ("inference.load.keeping", keep_command),
    ],
)
def test_every_flag_that_a_container_gives_a_program_is_one_of_its_own(module: str, command: Any) -> None:
    app = typer.Typer()
    app.command()(command)
    known = {option for each in typer.main.get_command(app).params for option in (*each.opts, *each.secondary_opts)}
    told = [
        argument
        for objects in (
            objects_of(CARDS, ENGINES, LOAD),
            objects_of(KSERVE),
            objects_of(LOAD, at("load.claim", "results")),
        )
        for pod in pods(objects)
        for container in pod.containers
        for argument in _told(container, module)
    ]

    assert told
    assert {argument.partition("=")[0] for argument in told if argument.startswith("--")} <= known


def _told(container: dict[str, Any], module: str) -> Sequence[str]:
    """Return what a program of ours is told by a container, straight or through a shell."""
    arguments: list[str] = container.get("args", [])
    if arguments[:1] == [module]:
        return arguments[1:]
    script = " ".join(container.get("command", []))
    found = re.search(rf"python -m {re.escape(module)} ((?:[^\n]|\\\n)*)", script)
    return found[1].replace("\\\n", " ").split() if found else []
