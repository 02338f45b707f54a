"""Sampling from a flow, held against velocities whose way is known exactly."""

import numpy as np
import pytest

from inference.restyling.diffusion.errors import (
    NetworkFailed,
    ParameterOutOfRange,
    PictureNotRgb,
    PictureTooLarge,
    PictureTooSmall,
    RestylingCancelled,
    RestylingError,
    StyleUnknown,
)
from inference.restyling.diffusion.flow import FlowRestyler, begin, times
from inference.restyling.diffusion.noise import Noise
from inference.restyling.diffusion.request import Picture, RestyleRequest, Run, Tensors

STYLES = ("oil", "pencil")
EXPECTED_NOISE = (0.3908935, 0.7247006, 0.5676758, 0.6517152)


def _photo(height: int = 64, width: int = 80) -> Picture:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _request(**changes: object) -> RestyleRequest:
    asked = {"photo": _photo(), "style": 0, "steps": 4, "strength": 1.0, "seed": 7} | changes
    return RestyleRequest(**asked)  # type: ignore[arg-type]


def _straight_to(factor: float) -> Run:
    """Make the velocity of the straight way to the photo times a factor."""

    def run(_: str, inputs: Tensors) -> Tensors:
        x, photo, time = (inputs[name].astype(np.float32) for name in ("x", "photo", "t"))
        return {"v": (x - np.float32(factor) * photo) / time}

    return run


def _restyle(run: Run, request: RestyleRequest) -> Picture:
    return FlowRestyler(run, STYLES).restyle(request, lambda: False)


@pytest.mark.parametrize("steps", [1, 2, 4, 50])
def test_a_straight_way_ends_where_it_leads_in_any_number_of_steps(steps: int) -> None:
    request = _request(steps=steps)

    assert np.array_equal(_restyle(_straight_to(-1), request), 255 - request.photo)


@pytest.mark.parametrize("strength", [0.01, 0.3, 1.0])
def test_a_way_to_the_photo_gives_the_photo_back_bit_for_bit(strength: float) -> None:
    request = _request(strength=strength)

    assert np.array_equal(_restyle(_straight_to(1), request), request.photo)


def test_euler_converges_to_the_solution_of_a_linear_field() -> None:
    def growing(_: str, inputs: Tensors) -> Tensors:
        return {"v": inputs["x"].astype(np.float32)}

    request = _request(strength=0.5)
    start = begin(np.float32(2 / 255) * request.photo.transpose(2, 0, 1)[None] - 1, Noise(7), 0.5)
    exact = np.clip(start * np.exp(-0.5), -1, 1)[0].transpose(1, 2, 0)

    errors = [
        np.abs(_restyle(growing, _request(strength=0.5, steps=steps)) / 127.5 - 1 - exact).max() for steps in (2, 4, 8)
    ]

    assert errors[1] < 0.7 * errors[0]
    assert errors[2] < 0.7 * errors[1]


def test_the_steps_go_evenly_from_the_strength_down_to_nothing() -> None:
    assert times(4, 0.8) == pytest.approx((0.8, 0.6, 0.4, 0.2, 0.0))


def test_a_weak_strength_begins_near_the_photo() -> None:
    photo = np.full((1, 3, 64, 64), 0.5, np.float32)

    assert np.abs(begin(photo, Noise(1), 0.1) - photo).mean() < 0.15
    assert np.abs(begin(photo, Noise(1), 1.0) - Noise(1).draw(photo.shape)).max() == 0


def _kept_noise(_: str, inputs: Tensors) -> Tensors:
    return {"v": np.zeros_like(inputs["x"])}


def test_the_same_seed_gives_the_same_picture_and_another_seed_another() -> None:
    first, again, other = (_restyle(_kept_noise, _request(seed=seed)) for seed in (3, 3, 4))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_noise_is_the_same_on_every_machine() -> None:
    drawn = Noise(2026).draw((2, 2)).ravel()

    assert drawn == pytest.approx(EXPECTED_NOISE, abs=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (65, 71), (100, 66), (127, 121)])
def test_any_size_is_brought_to_multiples_of_8_and_back(size: tuple[int, int]) -> None:
    seen = list[tuple[int, ...]]()

    def run(_: str, inputs: Tensors) -> Tensors:
        seen.append(inputs["x"].shape)
        return _straight_to(1)(_, inputs)

    photo = _photo(*size)
    picture = _restyle(run, _request(photo=photo, steps=1))

    assert np.array_equal(picture, photo)
    assert [side % 8 for side in seen[0]] == [1, 3, 0, 0]


def test_a_graph_of_one_size_paints_what_a_free_one_paints() -> None:
    request = _request(photo=_photo(100, 70), strength=0.8)

    fixed = FlowRestyler(_kept_noise, STYLES, canvas=256).restyle(request, lambda: False)

    assert np.array_equal(fixed, _restyle(_kept_noise, request))


def test_a_photo_larger_than_the_only_size_of_a_graph_is_refused() -> None:
    with pytest.raises(PictureTooLarge, match="80 x 64 px; here each side may have 72 px"):
        FlowRestyler(_kept_noise, STYLES, canvas=72).restyle(_request(), lambda: False)


def test_what_leaves_the_range_is_cut_off() -> None:
    picture = _restyle(_straight_to(9), _request(photo=np.full((64, 64, 3), 200, np.uint8)))

    assert np.array_equal(picture, np.full((64, 64, 3), 255, np.uint8))


@pytest.mark.parametrize(
    ("changes", "error", "field", "words"),
    [
        ({"photo": _photo(3, 80)}, PictureTooSmall, "photo", "80 x 3 px; each side has to be at least 64 px"),
        ({"photo": _photo(80, 3)}, PictureTooSmall, "photo", "3 x 80 px"),
        ({"photo": np.zeros((64, 2049, 3), np.uint8)}, PictureTooLarge, "photo", "make it smaller: at most 2048 px"),
        ({"photo": np.zeros((1025, 1024, 3), np.uint8)}, PictureTooLarge, "photo", "1048576 px in all"),
        ({"photo": np.zeros((64, 64), np.uint8)}, PictureNotRgb, "photo", r"give UINT8 \[H, W, 3\]"),
        ({"photo": np.zeros((64, 64, 3), np.float32)}, PictureNotRgb, "photo", "float32"),
        ({"style": 2}, StyleUnknown, "style", "choose one of: 0 oil, 1 pencil"),
        ({"style": -1}, StyleUnknown, "style", "there is no style -1"),
        ({"steps": 0}, ParameterOutOfRange, "steps", "give 1 to 50"),
        ({"steps": 51}, ParameterOutOfRange, "steps", "give 1 to 50"),
        ({"strength": 0.0}, ParameterOutOfRange, "strength", "more than 0"),
        ({"strength": 1.1}, ParameterOutOfRange, "strength", "up to 1"),
        ({"strength": float("nan")}, ParameterOutOfRange, "strength", "strength is nan"),
        ({"seed": -1}, ParameterOutOfRange, "seed", "seed is -1"),
        ({"seed": 2**63}, ParameterOutOfRange, "seed", "give 0 to"),
    ],
)
def test_what_cannot_be_restyled_is_refused_before_the_network_runs(
    changes: dict[str, object], error: type[RestylingError], field: str, words: str
) -> None:
    def run(_: str, __: Tensors) -> Tensors:
        pytest.fail("the network ran")

    with pytest.raises(error, match=words) as caught:
        _restyle(run, _request(**changes))

    assert caught.value.field == field


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_velocity_that_is_no_number_is_an_error(broken: float) -> None:
    def run(_: str, inputs: Tensors) -> Tensors:
        velocity = np.zeros_like(inputs["x"])
        velocity[0, 1, 2, 3] = broken
        return {"v": velocity}

    with pytest.raises(NetworkFailed, match="velocity at t = 1 is not finite"):
        _restyle(run, _request())


def test_a_velocity_of_another_shape_is_an_error() -> None:
    with pytest.raises(NetworkFailed, match=r"the velocity is \[1, 3, 8, 8\]"):
        _restyle(lambda _, __: {"v": np.zeros((1, 3, 8, 8), np.float32)}, _request())


def test_the_steps_end_when_nobody_waits_any_more() -> None:
    done = list[float]()

    def run(_: str, inputs: Tensors) -> Tensors:
        done.append(float(inputs["t"][0]))
        return _kept_noise(_, inputs)

    with pytest.raises(RestylingCancelled):
        FlowRestyler(run, STYLES).restyle(_request(steps=10), lambda: len(done) >= 3)

    assert len(done) == 3


def test_the_photo_is_left_as_it_was() -> None:
    photo = _photo()
    before = photo.copy()

    _restyle(_straight_to(-1), _request(photo=photo))

    assert np.array_equal(photo, before)
