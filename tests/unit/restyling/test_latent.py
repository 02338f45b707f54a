"""Latent diffusion from the photo to the picture, with four small graphs whose answers are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.restyling.assembly import LatentRestylerFiles
from inference.restyling.diffusion.errors import NetworkFailed, RestylerMisconfigured, RestylingCancelled
from inference.restyling.diffusion.latent import GRAPHS, LatentRestyler
from inference.restyling.diffusion.latent_settings import parse_settings, read_settings
from inference.restyling.diffusion.request import Picture, RestyleRequest, Tensors
from inference.restyling.diffusion.sessions import Sessions
from inference.restyling.local import open_local
from tests.fakes.restyler_graphs import COLOURS, LATENT_STYLES, write_latent, write_vae_decoder

ORANGE, KEPT = LATENT_STYLES.index("orange"), LATENT_STYLES.index("kept")
SAMPLING = [("turbo", "epsilon"), ("turbo", "v_prediction"), ("lcm", "epsilon"), ("lcm", "v_prediction")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_latent(tmp_path_factory.mktemp("latent"))


def _photo(height: int, width: int) -> Picture:
    """Make a soft landscape: nothing in it is smaller than a block of the autoencoder."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(6 * rows + shift) * np.cos(5 * columns - shift) for shift in (0, 1, 2)]
    photo: Picture = np.rint(127.5 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)
    return photo


def _restyle(folder: Path, photo: Picture, *, style: int, steps: int = 4, strength: float = 1.0) -> Picture:
    restyler = open_local(LatentRestylerFiles(folder), threads=1)
    return restyler.restyle(RestyleRequest(photo, style, steps, strength, seed=11), lambda: False)


@pytest.mark.parametrize(("sampler", "prediction"), SAMPLING)
@pytest.mark.parametrize("steps", [1, 4])
def test_a_network_that_knows_its_goal_gets_there(tmp_path: Path, sampler: str, prediction: str, steps: int) -> None:
    folder = write_latent(tmp_path, sampler=sampler, prediction=prediction)

    picture = _restyle(folder, _photo(96, 160), style=ORANGE, steps=steps)

    wanted = np.rint((np.array(COLOURS["orange"]) + 1) * 127.5)
    assert picture.shape == (96, 160, 3)
    assert np.abs(picture.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("size", [(512, 512), (300, 500), (700, 520), (64, 400)])
def test_a_weak_strength_keeps_the_photo_at_any_size(folder: Path, size: tuple[int, int]) -> None:
    photo = _photo(*size)

    picture = _restyle(folder, photo, style=KEPT, steps=1, strength=0.001)

    assert picture.shape == photo.shape
    # The lowest level has noise of 0.029, and a latent is a picture times 0.18: 16 levels of 255 on average.
    assert np.abs(picture.astype(int) - photo).mean() < 18
    assert np.corrcoef(picture.ravel(), photo.ravel())[0, 1] > 0.9


def test_a_full_strength_leaves_nothing_of_the_photo(folder: Path) -> None:
    photo = _photo(256, 256)

    picture = _restyle(folder, photo, style=KEPT, steps=1)

    assert abs(np.corrcoef(picture.ravel(), photo.ravel())[0, 1]) < 0.25


def test_the_words_of_a_style_are_encoded_once(folder: Path) -> None:
    asked = list[str]()
    sessions = Sessions({graph: folder / f"{graph}.onnx" for graph in GRAPHS}, threads=1)

    def run(graph: str, inputs: Tensors) -> Tensors:
        asked.append(graph)
        return sessions(graph, inputs)

    restyler = LatentRestyler(run, read_settings(folder / "latent.json"))
    for _ in range(2):
        restyler.restyle(RestyleRequest(_photo(64, 64), ORANGE, 2, 1.0, 0), lambda: False)

    assert sorted(asked) == sorted(["text_encoder", *2 * ["vae_encoder", "unet", "unet", "vae_decoder"]])


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_it_ends_between_any_two_graphs_when_nobody_waits(folder: Path, after: int) -> None:
    looked = list[int]()

    def stopped() -> bool:
        looked.append(1)
        return len(looked) > after

    with pytest.raises(RestylingCancelled):
        open_local(LatentRestylerFiles(folder), threads=1).restyle(
            RestyleRequest(_photo(64, 64), ORANGE, 2, 1.0, 0), stopped
        )

    assert len(looked) == after + 1


def test_a_graph_with_tensors_in_half_precision_is_fed_what_it_declares(folder: Path, tmp_path: Path) -> None:
    halved = write_latent(tmp_path)
    write_vae_decoder(halved / "vae_decoder.onnx", half=True)

    whole, half = (_restyle(each, _photo(64, 64), style=KEPT, steps=1, strength=0.1) for each in (folder, halved))

    assert np.abs(whole.astype(int) - half).max() <= 1


def test_a_picture_that_comes_out_black_is_an_error(tmp_path: Path) -> None:
    folder = write_latent(tmp_path)
    write_vae_decoder(folder / "vae_decoder.onnx", gain=0, lift=-1)

    with pytest.raises(NetworkFailed, match="came out black: half precision overflows") as caught:
        _restyle(folder, _photo(64, 64), style=ORANGE)

    assert caught.value.field == "vae_decoder"


def test_a_black_photo_may_stay_black(tmp_path: Path) -> None:
    folder = write_latent(tmp_path)
    write_vae_decoder(folder / "vae_decoder.onnx", gain=0, lift=-1)

    assert _restyle(folder, np.zeros((64, 64, 3), np.uint8), style=ORANGE).max() == 0


def test_numbers_that_are_none_are_an_error_that_names_the_graph(tmp_path: Path) -> None:
    folder = write_latent(tmp_path)
    write_vae_decoder(folder / "vae_decoder.onnx", gain=float("nan"))

    with pytest.raises(NetworkFailed, match="vae_decoder is not finite"):
        _restyle(folder, _photo(64, 64), style=ORANGE)


IDS = [0] * 77


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"sampler": "ddim"}, "sampler", "choose one of turbo, lcm"),
        ({"sampler": None}, "sampler", "is None"),
        ({"prediction": "sample"}, "prediction", "choose one of epsilon, v_prediction"),
        ({"scaling_factor": 0}, "scaling_factor", "above 0"),
        ({"scaling_factor": "1"}, "scaling_factor", "above 0"),
        ({"guidance": 7.5}, "guidance", "no such setting"),
        ({"styles": []}, "styles", "at least one"),
        ({"styles": "oil"}, "styles", "at least one"),
        ({"styles": [{"name": "a,b", "input_ids": IDS}]}, "styles[0].name", "letters, digits"),
        ({"styles": [{"name": "oil", "input_ids": IDS[1:]}]}, "styles[0].input_ids", "77 token ids"),
        ({"styles": [{"name": "oil", "input_ids": [*IDS[1:], -1]}]}, "styles[0].input_ids", "77 token ids"),
        ({"styles": [{"name": "oil", "input_ids": IDS}] * 2}, "styles", "the same name"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(changes: dict[str, object], field: str, words: str) -> None:
    table = {"sampler": "turbo", "styles": [{"name": "oil", "input_ids": IDS}]} | changes

    with pytest.raises(RestylerMisconfigured, match=words) as caught:
        parse_settings(table)

    assert caught.value.field == field


def test_settings_have_the_usual_values_unless_they_say_otherwise() -> None:
    settings = parse_settings({"sampler": "lcm", "styles": [{"name": "oil", "input_ids": IDS}]})

    assert (settings.prediction, settings.scaling_factor) == ("epsilon", 0.18215)


def test_settings_that_are_missing_or_no_json_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "latent.json"
    with pytest.raises(RestylerMisconfigured, match="missing"):
        read_settings(path)
    path.write_text("{")
    with pytest.raises(RestylerMisconfigured, match="not JSON"):
        read_settings(path)
    path.write_text(json.dumps([1]))
    with pytest.raises(RestylerMisconfigured, match="has to be an object"):
        read_settings(path)
