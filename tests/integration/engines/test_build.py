"""Engines on a machine whose `trtexec` and `nvidia-smi` behave as the real ones do; all the rest is real."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference.engines.build import Builder, Progress, Stage
from inference.engines.committed import committed, verify
from inference.engines.errors import (
    AccuracyLost,
    BuildFailed,
    EngineDamaged,
    EngineMissing,
    TargetUnknown,
    TensorRTMissing,
    WrongTarget,
)
from inference.engines.exports import Export, find_export
from inference.engines.node import Node, this_node
from tests.fakes.clock import FakeClock
from tests.fakes.tensorrt import Machine, install
from tests.unit.engines.small import PROFILE, small_export

TEN = Machine()
ELEVEN = Machine(version="110100", build=106, capability="10.0", gpu="NVIDIA B200")


class TickingClock(FakeClock):
    """Stands still but for the waiting of a process, which is real."""

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the folder that stands first on the path."""
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("NVIDIA_TRITON_SERVER_VERSION", "24.10")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "engines"


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return small_export(tmp_path)


def builder(path: Path, home: Path, machine: Machine = TEN, **settings: Any) -> Builder:
    install(path, machine)
    return replace(Builder(this_node(), home, TickingClock()), **settings)


def plans(home: Path) -> list[str]:
    return sorted(str(each.relative_to(home / "plans")) for each in (home / "plans").rglob("*") if each.is_file())


@pytest.mark.parametrize(("machine", "target"), [(TEN, "trt10.5.0.18-sm90"), (ELEVEN, "trt11.1.0.106-sm100")])
def test_an_engine_is_built_proven_and_committed(
    path: Path, home: Path, export: Export, machine: Machine, target: str
) -> None:
    engine = builder(path, home, machine).build(export)

    assert target in engine.key
    assert plans(home) == [f"{engine.key}/manifest.json", f"{engine.key}/model.plan"]
    assert committed(home) == [engine.key]
    assert [delta.value < 0.005 for delta in engine.accuracy] == [True, True]
    assert [(each.batch, each.runs) for each in engine.latencies] == [(1, 100), (2, 100), (4, 100)]
    assert engine.latencies[0].p50_ms == pytest.approx(1.5495)
    assert (engine.tools.gpu, engine.build_time) == (machine.gpu, FakeClock().now())


def test_only_tensorrt_10_is_told_that_the_graph_is_strongly_typed(path: Path, home: Path, export: Export) -> None:
    ten, eleven = (builder(path, home, machine).build(export) for machine in (TEN, ELEVEN))

    assert ["--stronglyTyped" in each.commands[0] for each in (ten, eleven)] == [True, False]
    assert not {"--fp16", "--int8", "--best"} & {*ten.commands[0], *eleven.commands[0]}
    headers = [(home / "plans" / each.key / "model.plan").read_bytes().split(b"\n", 2)[1] for each in (ten, eleven)]
    assert [json.loads(header)["strong"] for header in headers] == [True, True]
    assert sorted(each.name for each in (home / "timing").iterdir()) == [
        "sm100-trt11.1.0.106.cache",
        "sm90-trt10.5.0.18.cache",
    ]


def test_a_second_build_does_nothing(path: Path, home: Path, export: Export) -> None:
    first = builder(path, home).build(export)
    told: list[Progress] = []

    second = builder(path, home, replace(TEN, flaw="crash"), report=told.append).build(export)

    assert second == first
    assert [each.stage for each in told] == [Stage.PRESENT]


def test_the_build_tells_how_far_it_is(path: Path, home: Path, export: Export) -> None:
    told: list[Progress] = []

    builder(path, home, report=told.append).build(export)

    stages = list(dict.fromkeys(each.stage for each in told))
    assert stages == [Stage.READ, Stage.TUNE, Stage.PROBE, Stage.MEASURE, Stage.BUILT]


@pytest.mark.parametrize(
    ("flaw", "error", "words"),
    [
        ("crash", BuildFailed, "Could not find any implementation"),
        ("empty", BuildFailed, "wrote no plan"),
        ("noise", AccuracyLost, r"largest_difference 0\.25"),
        ("nan", AccuracyLost, "inf > 0.01"),
    ],
)
def test_what_fails_or_answers_wrongly_is_not_committed(
    path: Path, home: Path, export: Export, flaw: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        builder(path, home, replace(TEN, flaw=flaw)).build(export)

    assert committed(home) == []
    assert sorted(each.name for each in home.iterdir() if each.name.startswith(".making")) == []


def test_a_build_that_takes_too_long_is_ended_and_shows_life_until_then(path: Path, home: Path, export: Export) -> None:
    told: list[Progress] = []
    slow = builder(path, home, replace(TEN, flaw="hang"), timeout=1.0, heartbeat=0.1, report=told.append)

    with pytest.raises(BuildFailed, match="longer than 1 s"):
        slow.build(export)

    assert len([each for each in told if each.seconds > 0]) >= 3
    assert committed(home) == []


def test_a_killed_build_leaves_nothing_and_the_next_one_works(path: Path, home: Path, export: Export) -> None:
    install(path, replace(TEN, flaw="hang"))
    process = subprocess.Popen([sys.executable, "-c", _BUILD, str(export.folder), str(home)])
    while not (path / "hanging").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert committed(home) == []
    engine = builder(path, home).build(export)
    assert plans(home) == [f"{engine.key}/manifest.json", f"{engine.key}/model.plan"]
    assert [each.name for each in home.iterdir() if each.name.startswith(".making")] == []


_BUILD = """
import sys
from pathlib import Path
from inference.engines.build import Builder
from inference.engines.exports import find_export
from inference.engines.node import this_node
from tests.integration.engines.test_build import TickingClock
Builder(this_node(), Path(sys.argv[2]), TickingClock()).build(find_export(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the programs, an export and its engine, for every test to copy."""
    folder = tmp_path_factory.mktemp("built")
    programs = install(folder / "bin", TEN)
    node = this_node(triton_tag="24.10-py3", environment={"PATH": str(programs)})
    Builder(node, folder / "engines", TickingClock()).build(small_export(folder))
    return folder


class TestVerify:
    @pytest.fixture
    def key(self, built: Path, home: Path) -> str:
        shutil.copytree(built / "engines", home)
        return committed(home)[0]

    def node(self, path: Path, machine: Machine) -> Node:
        install(path, machine)
        return this_node()

    def test_an_engine_of_this_node_is_good(self, path: Path, home: Path, key: str) -> None:
        assert verify(home, key, self.node(path, TEN).target).key == key

    def test_a_folder_without_a_manifest_is_no_engine(self, home: Path, key: str) -> None:
        (home / "plans" / key / "manifest.json").unlink()

        with pytest.raises(EngineMissing, match="not committed"):
            verify(home, key)
        assert committed(home) == []

    @pytest.mark.parametrize(
        ("machine", "words"),
        [
            (replace(TEN, version="100600", build=26), r"TensorRT is 10\.6\.0\.26 here and 10\.5\.0\.18 in the plan"),
            (replace(TEN, build=19), r"TensorRT is 10\.5\.0\.19 here"),
            (replace(TEN, capability="8.0"), "SM is 80 here and 90 in the plan.*[Bb]uild it on this node"),
        ],
    )
    def test_a_plan_of_another_tensorrt_or_gpu_is_refused(
        self, path: Path, home: Path, key: str, machine: Machine, words: str
    ) -> None:
        with pytest.raises(WrongTarget, match=words):
            verify(home, key, self.node(path, machine).target)

    def test_a_plan_cut_short_is_refused(self, home: Path, key: str) -> None:
        plan = home / "plans" / key / "model.plan"
        plan.write_bytes(plan.read_bytes()[:-10])

        with pytest.raises(EngineDamaged, match="bytes"):
            verify(home, key)

    def test_a_changed_plan_is_refused(self, home: Path, key: str) -> None:
        plan = home / "plans" / key / "model.plan"
        plan.write_bytes(plan.read_bytes()[:-1] + b"?")

        with pytest.raises(EngineDamaged, match="changed after it was built"):
            verify(home, key)

    @pytest.mark.parametrize("field", ["gpu", "p50_ms", "sm"])
    def test_a_changed_manifest_is_refused(self, home: Path, key: str, field: str) -> None:
        path = home / "plans" / key / "manifest.json"
        other = {"gpu": ('"gpu": "NVIDIA H200"', '"gpu": "T4"'), "p50_ms": ('"p50_ms": 1', '"p50_ms": 0')}
        path.write_text(path.read_text("utf-8").replace(*other.get(field, ('"sm": 90', '"sm": 80'))), "utf-8")

        with pytest.raises(EngineDamaged, match="changed after it was written"):
            verify(home, key)

    def test_a_manifest_that_is_no_document_is_refused(self, home: Path, key: str) -> None:
        (home / "plans" / key / "manifest.json").write_text("{", "utf-8")

        with pytest.raises(EngineDamaged, match="build or fetch it anew"):
            verify(home, key)

    def test_a_plan_can_be_probed_again(self, path: Path, home: Path, key: str, built: Path) -> None:
        (export,) = filter(None, map(find_export, (built / "engines" / "exports" / "small_net").iterdir()))
        plan = home / "plans" / key / "model.plan"

        assert all(delta.holds for delta in builder(path, home).prove(export, plan))
        with pytest.raises(AccuracyLost):
            builder(path, home, replace(TEN, flaw="noise")).prove(export, plan)

    @pytest.mark.parametrize("key_like", ["../../etc", "face_detector", "small_net/x"])
    def test_what_is_no_key_is_refused(self, home: Path, key_like: str) -> None:
        with pytest.raises(EngineMissing, match="no key"):
            verify(home, key_like)


class TestNode:
    def test_a_machine_without_tensorrt_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(TensorRTMissing, match=r"no TensorRT here.*engines plan"):
            this_node(environment={"PATH": str(tmp_path)})

    def test_a_machine_without_that_gpu_says_so(self, path: Path) -> None:
        install(path, TEN)

        with pytest.raises(TensorRTMissing, match="names no GPU 3"):
            this_node(device=3)

    def test_an_image_that_does_not_name_itself_has_to_be_named(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(path, TEN)
        monkeypatch.delenv("NVIDIA_TRITON_SERVER_VERSION")

        with pytest.raises(TensorRTMissing, match="--triton-tag"):
            this_node()
        assert this_node(triton_tag="25.01-py3").target.triton_tag == "25.01-py3"

    def test_an_old_tensorrt_is_refused(self, path: Path) -> None:
        install(path, Machine(version="8601", build=1))

        with pytest.raises(TargetUnknown, match="too old"):
            this_node()


def test_a_profile_without_room_for_all_probes_runs_them_in_turns(path: Path, tmp_path: Path, home: Path) -> None:
    narrow = PROFILE.model_copy(update={"batch": PROFILE.batch.model_copy(update={"tuned": 1, "most": 1})})

    engine = builder(path, home).build(small_export(tmp_path, profile=narrow))

    assert [each.batch for each in engine.latencies] == [1]
