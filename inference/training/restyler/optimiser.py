"""Muon for the kernels of hidden convolutions, AdamW for everything else.

Muon (Jordan et al. 2024) takes the momentum of a matrix to the nearest matrix whose singular values are all about 1, by
five Newton-Schulz steps, so that rare directions are learnt as fast as common ones. A kernel counts as the matrix
[channels out, channels in x places].
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

from inference.training.restyler.network import VelocityNetwork

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_STEPS = 5
_DECAY = 0.01


class Muon(torch.optim.Optimizer):
    """Momentum of kernels, made orthogonal.

    Args:
        kernels: weights of convolutions, [out, in, height, width].
        lr: the spectral norm of a step.
        momentum: of Nesterov's kind.
    """

    def __init__(self, kernels: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(kernels, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Take one step."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for kernel in group["params"]:
                if kernel.grad is not None:
                    by_shape[kernel.shape].append(kernel)
            for kernels in by_shape.values():
                self._move(kernels, group["lr"], group["momentum"])

    def _move(self, kernels: list[Tensor], rate: float, momentum: float) -> None:
        pulls = torch.stack([self._pull(kernel, momentum) for kernel in kernels])
        for kernel, turn in zip(kernels, orthogonal(pulls), strict=True):
            tall = max(1.0, turn.shape[0] / turn.shape[1]) ** 0.5
            kernel.mul_(1 - rate * _DECAY).add_(turn.view(kernel.shape), alpha=-rate * tall)

    def _pull(self, kernel: Tensor, momentum: float) -> Tensor:
        state = self.state[kernel]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(kernel)
        state["momentum"].lerp_(kernel.grad, 1 - momentum)
        return kernel.grad.lerp(state["momentum"], momentum).reshape(len(kernel), -1)


def orthogonal(matrices: Tensor) -> Tensor:
    """Return the nearest matrices with singular values of about 1; [count, rows, columns], FP32."""
    x = matrices.bfloat16()
    wide = x if x.shape[1] <= x.shape[2] else x.transpose(1, 2)
    wide = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        square = wide @ wide.transpose(1, 2)
        wide = a * wide + (b * square + c * square @ square) @ wide
    return (wide if x.shape[1] <= x.shape[2] else wide.transpose(1, 2)).float()


def split(network: VelocityNetwork) -> tuple[list[Tensor], list[Tensor]]:
    """Return the kernels that Muon moves, and the other weights."""
    ends = {id(network.entry.weight), id(network.exit.weight)}
    kernels = [weight for weight in network.parameters() if weight.ndim == 4 and id(weight) not in ends]
    taken = {id(weight) for weight in kernels}
    return kernels, [weight for weight in network.parameters() if id(weight) not in taken]
