"""Keys, targets, profiles and command lines: what `plan` says without a GPU."""

from pathlib import Path

import pytest

from inference.engines.errors import ProfileInvalid, TargetUnknown
from inference.engines.manifest import KEY, KeyParts, Precision
from inference.engines.node import parse_banner
from inference.engines.profiles import Batch, profile, profiles
from inference.engines.targets import Target, gpus, target
from inference.engines.trtexec import Trtexec

PARTS = KeyParts(
    model="face_embedder",
    onnx_sha256="ab" * 32,
    precision=Precision.FP16,
    batch=Batch(least=1, tuned=8, most=32),
    target=Target(triton_tag="24.10-py3", tensorrt="10.5.0.18", sm=90),
)
ROW = "[m]\nbatch = {{ least = {least}, tuned = 2, most = 8 }}\nhalf = true\nlimits = [{limits}]"
INPUTS = {"chip": (150, 150, 3)}


def with_target(**changes: object) -> KeyParts:
    return PARTS.model_copy(update={"target": PARTS.target.model_copy(update=changes)})


def test_a_key_can_be_read() -> None:
    assert PARTS.key == f"face_embedder/24.10-py3-trt10.5.0.18-sm90-fp16-{PARTS.digest}"
    assert KEY.match(PARTS.key)


@pytest.mark.parametrize(
    "other",
    [
        PARTS.model_copy(update={"onnx_sha256": "cd" * 32}),
        PARTS.model_copy(update={"precision": Precision.FP32}),
        PARTS.model_copy(update={"batch": Batch(least=1, tuned=4, most=32)}),
        PARTS.model_copy(update={"shapes": {"chip": (150, 150, 3)}}),
        PARTS.model_copy(update={"model": "other"}),
        with_target(triton_tag="24.11-py3"),
        with_target(tensorrt="10.5.0.19"),
        with_target(sm=89),
    ],
)
def test_whatever_matters_to_an_engine_is_in_its_key(other: KeyParts) -> None:
    assert other.digest != PARTS.digest


def test_tensorrt_10_is_told_strong_typing_and_11_is_not() -> None:
    ten, eleven = (Trtexec().build(with_target(tensorrt=version), INPUTS) for version in ("10.5.0.18", "11.1.0.106"))

    assert ten == (
        "trtexec", "--onnx=model.onnx", "--saveEngine=model.plan", "--stronglyTyped", "--noTF32",
        "--minShapes=chip:1x150x150x3", "--optShapes=chip:8x150x150x3", "--maxShapes=chip:32x150x150x3",
        "--timingCacheFile=timing.cache", "--skipInference", "--device=0",
    )  # fmt: skip
    assert set(ten) - set(eleven) == {"--stronglyTyped"}


def test_a_plan_is_probed_once_and_timed_at_each_batch_size() -> None:
    two = {"ids": (32,), "mask": (32,)}

    assert "--loadInputs=ids:ids.bin,mask:mask.bin" in Trtexec().probe(two, 3)
    assert "--shapes=ids:3x32,mask:3x32" in Trtexec().probe(two, 3)
    exports = [each for command in Trtexec().measure(PARTS, INPUTS) for each in command if "exportTimes" in each]
    assert exports == ["--exportTimes=times-1.json", "--exportTimes=times-8.json", "--exportTimes=times-32.json"]


@pytest.mark.parametrize(("gpu", "sm"), [("A100", 80), ("h200", 90), ("L4", 89), ("rtx 4090", 89)])
def test_a_gpu_is_known_by_its_name(gpu: str, sm: int) -> None:
    assert target(gpu=gpu, sm=None).sm == sm


def test_every_gpu_of_the_table_is_a_target() -> None:
    assert all(target(gpu=name, sm=None).sm == sm for name, sm in gpus().items())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gpu": "Voodoo 2"}, "not in the table.*--sm.*H200"),
        ({}, "name either"),
        ({"sm": 90, "gpu": "H200"}, "name either"),
        ({"sm": 9}, "give 9.0 as 90"),
        ({"sm": 90, "triton_tag": "30.01-py3"}, "say it with --tensorrt"),
        ({"sm": 90, "triton_tag": "a/b", "tensorrt": "10.5.0.18"}, "no image tag"),
        ({"sm": 90, "tensorrt": "10"}, "no TensorRT version"),
        ({"sm": 90, "tensorrt": "8.6.1.6"}, "too old"),
    ],
)
def test_a_target_that_cannot_be_says_what_to_name(settings: dict[str, object], words: str) -> None:
    given = {"sm": None, "gpu": None, **settings}

    with pytest.raises(TargetUnknown, match=words):
        target(**given)  # type: ignore[arg-type]


def test_the_version_of_an_image_can_be_named() -> None:
    assert target(sm=120, gpu=None, triton_tag="30.01-py3", tensorrt="11.1.0.106").major == 11


@pytest.mark.parametrize(
    ("banner", "version"),
    [
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v100500] [b18] # trtexec --help", "10.5.0.18"),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v110100] [b106]", "11.1.0.106"),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v100100] # trtexec", "10.1.0"),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v11.1.0.106] [b48]", "11.1.0.106"),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # trtexec", "8.6.1"),
        ("usage: trtexec", None),
    ],
)
def test_the_version_is_read_off_the_banner(banner: str, version: str | None) -> None:
    assert parse_banner(banner) == version


def test_a_profile_that_is_missing_is_asked_for() -> None:
    with pytest.raises(ProfileInvalid, match=r"no \[unheard_of\]"):
        profile("unheard_of")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[m", "not TOML"),
        (ROW.format(least=4, limits='{ output = "y", metric = "cosine", most = 1 }'), "must not fall"),
        (ROW.format(least=1, limits='{ output = "y", metric = "taste", most = 1 }'), "no metric 'taste'"),
        (ROW.format(least=1, limits=""), "limits"),
    ],
)
def test_a_table_of_profiles_that_breaks_a_rule_says_where(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(ProfileInvalid, match=words):
        profiles(path)
