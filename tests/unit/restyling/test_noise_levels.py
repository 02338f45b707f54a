"""The noise levels of latent diffusion, held against what is known of them."""

import math

import numpy as np
import pytest

from inference.restyling.diffusion.noise import Noise
from inference.restyling.diffusion.noise_levels import (
    AncestralDescent,
    ConsistencyDescent,
    Descent,
    clean_from_noise,
    clean_from_velocity,
    noised,
    seen,
    sigma,
)

DESCENTS: tuple[Descent, ...] = (AncestralDescent(), ConsistencyDescent())


def test_the_levels_are_those_of_stable_diffusion() -> None:
    assert sigma(0) == pytest.approx(0.0292, abs=1e-4)
    assert sigma(999) == pytest.approx(14.6146, abs=1e-3)


def test_an_adversarial_network_is_asked_at_the_levels_that_it_was_distilled_at() -> None:
    assert AncestralDescent().timesteps(4, 1.0) == (999, 749, 499, 249)
    assert AncestralDescent().timesteps(1, 1.0) == (999,)
    assert AncestralDescent().timesteps(2, 0.5) == (499, 249)


def test_a_consistency_network_is_asked_at_levels_of_its_training() -> None:
    assert ConsistencyDescent().timesteps(4, 1.0) == (999, 759, 499, 259)
    assert ConsistencyDescent().timesteps(2, 0.5) == (499, 259)
    assert all((step + 1) % 20 == 0 for step in ConsistencyDescent().timesteps(7, 0.77))


@pytest.mark.parametrize("descent", DESCENTS)
@pytest.mark.parametrize("strength", [0.0001, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 3, 50])
def test_levels_fall_and_stay_in_range_whatever_is_asked(descent: Descent, strength: float, steps: int) -> None:
    levels = descent.timesteps(steps, strength)

    assert 1 <= len(levels) <= steps
    assert list(levels) == sorted(set(levels), reverse=True)
    assert 0 <= levels[-1] <= levels[0] <= 999


@pytest.mark.parametrize("timestep", [0, 400, 999])
def test_noise_and_velocity_lead_back_to_the_clean_latent(timestep: int) -> None:
    clean, noise = Noise(1).draw((1, 4, 8, 8)), Noise(2).draw((1, 4, 8, 8))
    x = noised(clean, timestep, lambda: noise)
    kept = 1 / math.sqrt(sigma(timestep) ** 2 + 1)
    velocity = (kept * noise - math.sqrt(1 - kept**2) * clean).astype(np.float32)

    assert np.allclose(clean_from_noise(x, noise, timestep), clean, atol=2e-5)
    assert np.allclose(clean_from_velocity(x, velocity, timestep), clean, atol=2e-5)


def test_the_network_sees_a_latent_of_unit_variance() -> None:
    clean, noise = Noise(1).draw((1, 4, 64, 64)), Noise(2).draw((1, 4, 64, 64))

    assert seen(noised(clean, 700, lambda: noise), 700).std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("descent", DESCENTS)
def test_a_step_down_arrives_with_as_much_noise_as_the_lower_level_has(descent: Descent) -> None:
    """However the noise is made up, old and fresh, the network must see what it was trained on."""
    noise = Noise(3)
    clean = np.zeros((1, 4, 64, 64), np.float32)
    x = noised(clean, 999, lambda: noise.draw(clean.shape))

    lower = descent.advance(x, clean, 999, 499, lambda: noise.draw(clean.shape))

    assert lower.std() == pytest.approx(sigma(499), rel=0.02)


@pytest.mark.parametrize("descent", DESCENTS)
def test_the_last_step_adds_no_noise(descent: Descent) -> None:
    clean = Noise(1).draw((1, 4, 8, 8))

    last = descent.advance(2 * clean, clean, 259, None, lambda: pytest.fail("noise was drawn"))

    assert np.allclose(last, clean, atol=1e-5)


def test_near_the_lowest_level_a_consistency_network_returns_its_input() -> None:
    x, clean = Noise(1).draw((1, 4, 8, 8)), Noise(2).draw((1, 4, 8, 8))

    assert np.allclose(ConsistencyDescent().advance(x, clean, 0, None, lambda: x), seen(x, 0), atol=1e-6)
