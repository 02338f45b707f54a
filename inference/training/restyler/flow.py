"""Flow matching: how examples lie on the way from noise to painting, and what is asked of the network.

Rectified flow (Liu et al. 2022) in the terms of conditional flow matching (Lipman et al. 2023): x_t = (1 - t) painting
+ t noise, and the velocity is noise - painting. The noise is not drawn apart from the painting: it is the chance that
the painter had (a coupling that depends on the data; Albergo et al. 2023, Tong et al. 2023). So ways do not cross,
they are nearly straight, and four steps of Euler's method suffice. Times are logit-normal (Esser et al. 2024).
"""

import torch
from torch import Tensor
from torch.nn import functional

_LEAST_TIME = 0.3


def times(count: int, chance: torch.Generator, *, mean: float = 0.4, spread: float = 1.0, whole: float = 0.3) -> Tensor:
    """Time to train at: logit-normal, and a part of `whole` at pure noise, where strokes are decided; FP32 [count]."""
    drawn = torch.sigmoid(mean + spread * torch.randn(count, generator=chance))
    return torch.where(torch.rand(count, generator=chance) < whole, torch.ones(count), drawn)


def between(painting: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Return the picture at time t on the straight way from painting (0) to noise (1)."""
    part = t[:, None, None, None]
    return (1 - part) * painting + part * noise


def matching_loss(predicted: Tensor, painting: Tensor, t: Tensor) -> Tensor:
    """How far the velocity is off: mean square of its error, [N], with t taken as at least 0.3."""
    return ((predicted - painting) ** 2).mean((1, 2, 3)) / t.clamp(min=_LEAST_TIME) ** 2


def stroke_loss(predicted: Tensor, painting: Tensor, t: Tensor) -> Tensor:
    """Return the loss: absolute errors of the painting and of its differences, which keep strokes crisp, [N].

    The noise decides on the painting, so that this has the same minimum as the square of the velocity's error.
    """
    error = predicted - painting
    down, across = error[:, :, 1:] - error[:, :, :-1], error[:, :, :, 1:] - error[:, :, :, :-1]
    plain = error.abs().mean((1, 2, 3)) + 0.5 * (error**2).mean((1, 2, 3))
    rough = down.abs().mean((1, 2, 3)) + across.abs().mean((1, 2, 3))
    return (plain + 0.5 * rough) / t.clamp(min=_LEAST_TIME)


def spectrum_loss(predicted: Tensor, painting: Tensor) -> Tensor:
    """How much the strength of strokes of each size and direction is off: spectra of 32-pixel windows, [N]."""
    return (_spectrum(predicted) - _spectrum(painting)).abs().mean((1, 2, 3))


def _spectrum(picture: Tensor) -> Tensor:
    grey = picture.mean(1, keepdim=True)
    windows = functional.unfold(grey, 32, stride=16).transpose(1, 2).unflatten(2, (32, 32))
    window = torch.hann_window(32)
    return torch.log1p(torch.fft.rfft2(windows * window[:, None] * window[None]).abs())
