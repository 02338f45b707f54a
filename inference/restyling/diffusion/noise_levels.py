"""Noise levels of latent diffusion, and two ways to go down them in one to four steps.

A level is written as sigma: a latent x at sigma is the clean latent plus sigma times standard noise, and the network
sees x / sqrt(sigma^2 + 1). Both ways begin at a level given by the strength, which leaves the rest of the photo there.
Sources: Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, CVPR 2022 (the scaled-linear
betas); Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models, NeurIPS 2022 (sigma, and
ancestral steps after Song et al., ICLR 2021); Sauer et al., Adversarial Diffusion Distillation, ECCV 2024 (four
levels evenly from the noisiest); Luo et al., Latent Consistency Models, 2023 (50 levels, boundary condition).
"""

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from .request import Array

TRAINED_LEVELS: Final = 1000
_BETA_FIRST: Final = 0.00085
_BETA_LAST: Final = 0.012
_CONSISTENCY_LEVELS: Final = 50
_CONSISTENCY_SCALE: Final = 10.0
_SIGMA_DATA: Final = 0.5

DrawNoise = Callable[[], Array]


class Descent(Protocol):
    """A way down from a noisy latent to a clean one."""

    def timesteps(self, steps: int, strength: float) -> tuple[int, ...]:
        """Return where the network runs, 0..999, the noisiest first; fewer where the strength leaves fewer levels."""

    def advance(self, x: Array, clean: Array, timestep: int, lower: int | None, draw: DrawNoise) -> Array:
        """Return the latent at the next lower level, or the clean one below the last."""


class AncestralDescent:
    """For adversarially distilled networks (SD-Turbo): a step down by Euler's method, then a little fresh noise."""

    def timesteps(self, steps: int, strength: float) -> tuple[int, ...]:
        """Evenly from the strength downward: 999, 749, 499 and 249 for four steps at full strength."""
        top = TRAINED_LEVELS * strength
        levels = {max(round(top * (1 - step / steps)) - 1, 0) for step in range(steps)}
        return tuple(sorted(levels, reverse=True))

    def advance(self, x: Array, clean: Array, timestep: int, lower: int | None, draw: DrawNoise) -> Array:
        """Goes to the next lower level."""
        if lower is None:
            return clean
        here, there = sigma(timestep), sigma(lower)
        fresh = there * np.sqrt(here**2 - there**2) / here
        kept = np.sqrt(there**2 - fresh**2)
        direction = (x - clean) / np.float32(here)
        moved: Array = clean + np.float32(kept) * direction + np.float32(fresh) * draw()
        return moved


class ConsistencyDescent:
    """For consistency networks (LCM): every step is a guess of the clean latent, noised again for the next."""

    def timesteps(self, steps: int, strength: float) -> tuple[int, ...]:
        """Out of the 50 levels of the training, evenly from the strength downward."""
        count = max(int(_CONSISTENCY_LEVELS * strength), 1)
        spacing = TRAINED_LEVELS // _CONSISTENCY_LEVELS
        known = [spacing * level - 1 for level in range(count, 0, -1)]
        return tuple(known[index] for index in sorted({count * step // steps for step in range(steps)}))

    def advance(self, x: Array, clean: Array, timestep: int, lower: int | None, draw: DrawNoise) -> Array:
        """Goes to the next lower level, heeding the boundary: near level 0 the input is the answer."""
        scaled = timestep * _CONSISTENCY_SCALE
        skip = _SIGMA_DATA**2 / (scaled**2 + _SIGMA_DATA**2)
        out = scaled / np.sqrt(scaled**2 + _SIGMA_DATA**2)
        guess: Array = np.float32(out) * clean + np.float32(skip) * seen(x, timestep)
        return guess if lower is None else guess + np.float32(sigma(lower)) * draw()


def sigma(timestep: int) -> float:
    """Return the noise level of a timestep, 0..999, relative to the clean latent."""
    kept = float(_signal_kept()[timestep])
    return float(np.sqrt((1 - kept) / kept))


def noised(clean: Array, timestep: int, draw: DrawNoise) -> Array:
    """Return a clean latent at a noise level."""
    noisy: Array = clean + np.float32(sigma(timestep)) * draw()
    return noisy


def seen(x: Array, timestep: int) -> Array:
    """Return what the network sees of a latent: scaled to unit variance."""
    scaled: Array = x / np.float32(np.sqrt(sigma(timestep) ** 2 + 1))
    return scaled


def clean_from_noise(x: Array, noise: Array, timestep: int) -> Array:
    """Return the clean latent, given the noise that the network sees in it."""
    clean: Array = x - np.float32(sigma(timestep)) * noise
    return clean


def clean_from_velocity(x: Array, velocity: Array, timestep: int) -> Array:
    """Return the clean latent, given the network's velocity (Salimans and Ho, ICLR 2022)."""
    level = sigma(timestep)
    clean: Array = x / np.float32(level**2 + 1) - velocity * np.float32(level / np.sqrt(level**2 + 1))
    return clean


def _signal_kept() -> NDArray[np.float64]:
    """Return how much of the signal's variance is left at each of the 1000 levels."""
    betas = np.linspace(np.sqrt(_BETA_FIRST), np.sqrt(_BETA_LAST), TRAINED_LEVELS) ** 2
    kept: NDArray[np.float64] = np.cumprod(1 - betas)
    return kept
