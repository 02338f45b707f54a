"""Restyler's network: a small U-Net that sees photo, noisy picture and printer's screen, and says the velocity.

It has no normalisation over the picture: what it paints in a place depends on that place alone, so that crops of
128 pixels teach it all about pictures of 512. Inside it predicts the painting; the velocity follows from that
(Li and He 2025, "Back to basics"): a few channels need not carry the noise through.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.training.restyler.painters.popart import SCREEN_PERIOD

_PATCH = 4
_EARLIEST = 0.05
_FREQUENCIES = 32


@dataclass(frozen=True)
class Shape:
    """The size of the network.

    Attributes:
        styles: how many styles it knows.
        width: channels at a quarter of the resolution.
        depth_width: channels at an eighth of it.
        blocks: residual blocks before, at and after the lower resolution.
        embedding: length of the vector that tells time and style.
    """

    styles: int
    width: int = 96
    depth_width: int = 160
    blocks: tuple[int, int, int] = (2, 3, 3)
    embedding: int = 128


class Block(nn.Module):
    """Two convolutions beside a shortcut; time and style scale and shift what lies between them."""

    def __init__(self, before: int, after: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.told = nn.Linear(embedding, 2 * after)
        self.shortcut = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        nn.init.normal_(self.second.weight, std=0.3 / math.sqrt(9 * after))
        nn.init.zeros_(self.second.bias)

    def forward(self, hidden: Tensor, told: Tensor) -> Tensor:
        """`hidden` [N, before, h, w], `told` [N, embedding] -> [N, after, h, w]."""
        scale, shift = self.told(told)[:, :, None, None].chunk(2, 1)
        inner = self.first(functional.silu(hidden)) * (1 + scale) + shift
        return self.shortcut(hidden) + self.second(functional.silu(inner))


class VelocityNetwork(nn.Module):
    """`velocity(x, photo, t, style)`, fully convolutional; sides are multiples of 8."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, deep, told = shape.width, shape.depth_width, shape.embedding
        before, at, after = shape.blocks
        self.style = nn.Embedding(shape.styles, told)
        self.time = nn.Sequential(nn.Linear(2 * _FREQUENCIES, told), nn.SiLU(), nn.Linear(told, told))
        self.keep = nn.Linear(told, 3)
        self.entry = nn.Conv2d(7 * _PATCH**2, width, 3, padding=1)
        self.down = nn.ModuleList(Block(width, width, told) for _ in range(before))
        self.halve = nn.Conv2d(width, deep, 3, 2, 1)
        self.middle = nn.ModuleList(Block(deep, deep, told) for _ in range(at))
        self.enlarge = nn.Conv2d(deep, width, 1)
        self.up = nn.ModuleList(Block(2 * width if index == 0 else width, width, told) for index in range(after))
        self.exit = nn.Conv2d(width, 3 * _PATCH**2, 3, padding=1)
        nn.init.zeros_(self.exit.weight)
        nn.init.zeros_(self.exit.bias)

    def forward(self, x: Tensor, photo: Tensor, t: Tensor, style: Tensor) -> Tensor:
        """Return the velocity at a time.

        Args:
            x: the noisy picture, FP32 [N, 3, H, W].
            photo: RGB between -1 and 1, the same shape.
            t: the time, 1 is noise and 0 is painting, FP32 [N].
            style: INT64 [N].
        """
        return (x - self.painting(x, photo, t, style)) / t.clamp(min=_EARLIEST)[:, None, None, None]

    def painting(self, x: Tensor, photo: Tensor, t: Tensor, style: Tensor) -> Tensor:
        """Where the picture is bound for: RGB about -1 to 1, the same shape as `x`; arguments as of `forward`."""
        told = functional.silu(self.time(_waves(t)) + self.style(style))
        seen = torch.cat([x, photo, _screen(x)], 1)
        hidden = self.entry(functional.pixel_unshuffle(seen, _PATCH))
        for block in self.down:
            hidden = block(hidden, told)
        deep = self.halve(hidden)
        for block in self.middle:
            deep = block(deep, told)
        hidden = torch.cat([functional.interpolate(self.enlarge(deep), scale_factor=2.0, mode="nearest"), hidden], 1)
        for block in self.up:
            hidden = block(hidden, told)
        painted = functional.pixel_shuffle(self.exit(functional.silu(hidden)), _PATCH)
        return painted.float() + photo * self.keep(told)[:, :, None, None].float()


def _waves(t: Tensor) -> Tensor:
    """Return the time as sines and cosines, [N, 2 * frequencies]."""
    rates = torch.exp(torch.arange(_FREQUENCIES, device=t.device) * (-math.log(1000.0) / (_FREQUENCIES - 1)))
    angles = 100.0 * t[:, None] * rates[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


def _screen(x: Tensor) -> Tensor:
    """Return the printer's screen of `painters.popart`, [N, 1, H, W]."""
    turn = 2 * math.pi / SCREEN_PERIOD
    rows = torch.arange(x.shape[2], device=x.device, dtype=torch.float32)[:, None] * turn
    columns = torch.arange(x.shape[3], device=x.device, dtype=torch.float32)[None] * turn
    hills = (torch.cos(columns + rows) + torch.cos(columns - rows)) / 2
    return hills[None, None].expand(x.shape[0], 1, -1, -1)
