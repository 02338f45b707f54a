"""The contracts of the slots, and the models that fill them when no operator does, agree."""

from pathlib import Path

import pytest

import inference.slots.evidence as evidence
from inference.model_build.manifest import Model, Tensor, shipped_models
from inference.repository import SHIPPED
from inference.restyling.diffusion.latent import GRAPHS
from inference.restyling.diffusion.latent_settings import SETTINGS_FILE
from inference.slots import faces, sentences
from inference.slots.contracts import CONTRACTS, LATENT, AnyLength, EachLength, Length, SlotContract, contract_of
from inference.vision.faces import SHOW_SCORE
from tests.contract.products import ROOT

BY_NAME = {model.name: model for model in shipped_models()}
OF_ONE_GRAPH = [contract for contract in CONTRACTS if contract.kind != LATENT]


def _fits(wanted: Length, side: int) -> bool:
    if isinstance(wanted, EachLength):
        return side == -1
    return wanted.least <= side <= wanted.most if isinstance(wanted, AnyLength) else wanted == side


def _model(contract: SlotContract) -> Model:
    if contract.serves not in BY_NAME:
        pytest.skip(f"no {contract.serves} is shipped")
    return BY_NAME[contract.serves]


@pytest.mark.parametrize("contract", OF_ONE_GRAPH, ids=lambda contract: contract.slot)
def test_the_shipped_model_fulfils_the_contract_of_its_slot(contract: SlotContract) -> None:
    model = _model(contract)
    shipped: dict[str, Tensor] = {
        tensor.name: tensor for tensor in (*model.manifest.graph.inputs, *model.manifest.graph.outputs)
    }
    wanted = {tensor.name: tensor for graph in contract.graphs for tensor in (*graph.inputs, *graph.outputs)}

    assert model.manifest.slot == contract.slot
    assert shipped.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert shipped[name].element in tensor.elements
        assert len(shipped[name].shape) == len(tensor.shape)
        assert all(_fits(want, side) for want, side in zip(tensor.shape, shipped[name].shape, strict=True))


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: f"{contract.slot}-{contract.kind}")
def test_what_fills_a_slot_has_a_place_in_the_repository(contract: SlotContract) -> None:
    assert (SHIPPED / contract.serves / "config.pbtxt").is_file()


def test_a_latent_restyler_has_the_files_that_serving_wants() -> None:
    contract = contract_of("restyler", LATENT)
    assert {graph.name for graph in contract.graphs} == set(GRAPHS)
    assert contract.companions == (SETTINGS_FILE,)


def test_trials_use_the_thresholds_of_the_product() -> None:
    thresholds = BY_NAME["face_embedder"].manifest.thresholds
    assert (thresholds["same"], thresholds["never"]) == (faces.SAME, faces.NEVER)
    assert faces.SHOWN == SHOW_SCORE
    assert BY_NAME["text_encoder"].manifest.inputs[0].shape == (sentences.LENGTH,)


def test_every_picture_of_a_trial_says_whose_it_is() -> None:
    notice = (evidence.FOLDER / "NOTICE").read_text("utf-8")
    pictures = {path.name for path in evidence.FOLDER.iterdir()} - {"NOTICE"}
    assert {name for name in pictures if name not in notice} == set()
    assert pictures == {evidence.CAT, evidence.RECEIPT, *(portrait.file for portrait in evidence.PORTRAITS)}


def test_the_page_about_slots_names_every_slot_and_tensor() -> None:
    page = (Path(ROOT) / "docs" / "slots.md").read_text("utf-8")
    tensors = {
        tensor.name
        for contract in OF_ONE_GRAPH
        for graph in contract.graphs
        for tensor in (*graph.inputs, *graph.outputs)
    }
    assert {
        name for name in tensors | {contract.slot.value for contract in CONTRACTS} if f"`{name}`" not in page
    } == set()
