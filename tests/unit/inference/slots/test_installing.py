"""A model is taken into its slot whole or not at all, and out again without a trace."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.model_build.errors import GoldenMismatch
from inference.model_build.golden import golden_inputs
from inference.model_build.manifest import shipped_model
from inference.model_build.sessions import ModelSession
from inference.slots import installing
from inference.slots.filling import RECORD_FILE, fillings, slot_folder
from inference.slots.recorded import GOLDEN_FILE, recorded_golden
from inference.slots.serving import served_identities, served_model
from inference.slots.violations import FillingBroken, SlotEmpty, SlotRefused, SlotUnknown
from tests.fakes.restyler_graphs import write_latent
from tests.unit.inference.slots import brought

SLOT = "face_embedder"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return brought.embedder(tmp_path / "my_embedder.onnx")


def left(home: Path) -> set[str]:
    """Return the folders in the slot."""
    return {path.name for path in slot_folder(home, SLOT).iterdir() if path.is_dir()}


def test_a_model_is_installed_under_the_digest_of_its_file(tmp_path: Path, own: Path) -> None:
    filling = installing.use(tmp_path / "home", SLOT, [own], licence="MIT")
    assert filling.identity == f"face_embedder-custom-{filling.sha256[:12]}"
    assert (filling.name, filling.licence, filling.shapes) == ("my_embedder", "MIT", {"descriptor": (225,)})
    assert fillings(tmp_path / "home") == {SLOT: filling}
    assert left(tmp_path / "home") == {filling.key}


def test_it_is_known_by_its_own_golden_answers(tmp_path: Path, own: Path) -> None:
    filling = installing.use(tmp_path / "home", SLOT, [own])
    golden = recorded_golden("face_embedder", filling.folder / GOLDEN_FILE)
    answers = ModelSession(own).run(golden_inputs(shipped_model("face_embedder").manifest))
    golden.check(answers)
    with pytest.raises(GoldenMismatch, match="off by"):
        golden.check({"descriptor": answers["descriptor"].astype(np.float32) + 0.5})
    with pytest.raises(GoldenMismatch, match="has shape"):
        golden.check({"descriptor": answers["descriptor"][:, :128]})


def test_another_model_takes_the_place_of_the_first(tmp_path: Path, own: Path) -> None:
    home = tmp_path / "home"
    first = installing.use(home, SLOT, [own])
    second = installing.use(home, SLOT, [brought.embedder(tmp_path / "other.onnx", rows=10)])
    assert second.identity != first.identity
    assert left(home) == {second.key}


def test_the_same_model_again_changes_nothing(tmp_path: Path, own: Path) -> None:
    first, second = (installing.use(tmp_path / "home", SLOT, [own]) for _ in range(2))
    assert first == second


def test_a_refused_model_leaves_what_was_served_before(tmp_path: Path, own: Path) -> None:
    home = tmp_path / "home"
    before = installing.use(home, SLOT, [own])
    with pytest.raises(SlotRefused, match="nothing was installed") as caught:
        installing.use(home, SLOT, [brought.embedder(tmp_path / "wrong.onnx", broken=True)])
    assert "NaN" in str(caught.value.violations[0])
    assert (fillings(home), left(home)) == ({SLOT: before}, {before.key})


def test_a_refused_model_is_called_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"PK\x03\x04")
    with pytest.raises(SlotRefused, match=r"weights\.pth: found a file that is no ONNX"):
        installing.use(tmp_path / "home", SLOT, [tmp_path / "weights.pth"])


@pytest.mark.parametrize("names", [[], ["my_embedder.onnx", "my_embedder.onnx"], ["missing.onnx"]])
def test_the_wrong_files_are_refused(names: list[str], tmp_path: Path, own: Path) -> None:
    with pytest.raises(SlotRefused):
        installing.use(tmp_path / "home", SLOT, [own.parent / name for name in names])
    assert not (slot_folder(tmp_path / "home", SLOT)).exists()


def test_what_a_killed_check_left_behind_is_removed(tmp_path: Path, own: Path) -> None:
    scratch = slot_folder(tmp_path / "home", SLOT) / ".making-lost"
    scratch.mkdir(parents=True)
    filling = installing.use(tmp_path / "home", SLOT, [own])
    assert left(tmp_path / "home") == {filling.key}


def test_a_model_is_taken_out_again(tmp_path: Path, own: Path) -> None:
    home = tmp_path / "home"
    filling = installing.use(home, SLOT, [own])
    assert installing.unuse(home, SLOT) == filling
    assert (fillings(home), left(home)) == ({}, set())
    with pytest.raises(SlotEmpty):
        installing.unuse(home, SLOT)
    with pytest.raises(SlotUnknown):
        installing.unuse(home, "face_painter")


def test_what_was_installed_proves_itself_again(tmp_path: Path, own: Path) -> None:
    filling = installing.use(tmp_path / "home", SLOT, [own])
    assert installing.verify(tmp_path / "home") == (filling,)


def test_a_file_that_was_changed_is_found(tmp_path: Path, own: Path) -> None:
    filling = installing.use(tmp_path / "home", SLOT, [own])
    brought.embedder(filling.folder / "model.onnx", scale=2.0)
    with pytest.raises(FillingBroken, match="was changed"):
        installing.verify(tmp_path / "home")


def test_half_of_a_filling_is_none(tmp_path: Path, own: Path) -> None:
    filling = installing.use(tmp_path / "home", SLOT, [own])
    (filling.folder / RECORD_FILE).unlink()
    with pytest.raises(FillingBroken, match="models unuse face_embedder"):
        fillings(tmp_path / "home")
    with pytest.raises(FillingBroken):
        installing.unuse(tmp_path / "home", SLOT)
    assert fillings(tmp_path / "home") == {}


def test_a_flow_restyler_brings_its_styles(tmp_path: Path) -> None:
    filling = installing.use(tmp_path / "home", "restyler", [brought.velocity(tmp_path / "mine.onnx")])
    assert (filling.kind, filling.styles, set(filling.files)) == ("flow", ("plain", "dark"), {"model.onnx"})


def test_a_latent_restyler_brings_four_graphs_and_its_settings(tmp_path: Path) -> None:
    folder = brought.latent(tmp_path / "latent")
    filling = installing.use(tmp_path / "home", "restyler", sorted(folder.iterdir()))
    styles = [style["name"] for style in json.loads((folder / "latent.json").read_text())["styles"]]
    assert (filling.kind, list(filling.styles), len(filling.files)) == ("latent", styles, 5)


def test_a_latent_restyler_that_lacks_a_graph_is_refused(tmp_path: Path) -> None:
    folder = write_latent(tmp_path / "latent")
    (folder / "unet.onnx").unlink()
    with pytest.raises(SlotRefused, match=r"unet\.onnx"):
        installing.use(tmp_path / "home", "restyler", sorted(folder.iterdir()))


def test_what_is_served_under_a_name_is_the_operator_s_file(tmp_path: Path, own: Path) -> None:
    filling = installing.use(tmp_path / "home", SLOT, [own])
    served = served_model(tmp_path / "home", "face_embedder")
    assert (served.identity, served.sha256, served.path) == (
        filling.identity,
        filling.sha256,
        filling.folder / "model.onnx",
    )
    assert served_identities(
        tmp_path / "home", {"face_embedder": "face_embedder-1", "text_reader": "text_reader-1"}
    ) == {
        "face_embedder": filling.identity,
        "text_reader": "text_reader-1",
    }


def test_a_latent_restyler_is_no_one_file(tmp_path: Path) -> None:
    installing.use(tmp_path / "home", "restyler", sorted(brought.latent(tmp_path / "latent").iterdir()))
    with pytest.raises(SlotRefused, match="four graphs"):
        served_model(tmp_path / "home", "restyler")
