"""Training loop: goes on where it was left, keeps an average of the weights and a line of figures."""

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from inference.training.restyler.data import Crops
from inference.training.restyler.flow import between, matching_loss, spectrum_loss, stroke_loss, times
from inference.training.restyler.network import Shape, VelocityNetwork
from inference.training.restyler.optimiser import Muon, split

_AVERAGE_EVERY = 4
_SPECTRA_OF = 4


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        seed: of everything that is drawn.
        batch: crops a step.
        side: of a crop, in pixels.
        rate: the highest learning rate of AdamW.
        kernel_rate: that of Muon, which moves the kernels of hidden convolutions.
        seconds: time after which the learning rate has come down and training ends.
        iterations: steps after which training ends in any case.
        warm_up: steps in which the learning rate rises.
        average: the decay of the average of the weights.
        weights: how often each style is taken, beside 1.
        spectra: the weight of the loss on spectra.
        threads: of the processor.
        compiled: whether to compile the network (it takes a minute, and needs a C++ compiler).
        half: whether to multiply in BF16.
        every: seconds between checkpoints.
    """

    seed: int = 1
    batch: int = 16
    side: int = 128
    rate: float = 1e-3
    kernel_rate: float = 0.012
    seconds: float = 4200.0
    iterations: int = 1_000_000
    warm_up: int = 200
    average: float = 0.997
    weights: tuple[float, ...] = ()
    spectra: float = 0.15
    threads: int = 2
    compiled: bool = True
    half: bool = True
    every: float = 240.0


@dataclass(frozen=True)
class Row:
    """One line of `loss.csv`: means since the line before it."""

    iteration: int
    seconds: float
    rate: float
    loss: float
    matching: float
    sheets: int


@dataclass
class State:
    """What a checkpoint holds."""

    network: VelocityNetwork
    average: VelocityNetwork
    muon: Muon
    adam: torch.optim.AdamW
    iteration: int = 0
    spent: float = 0.0


def begin(shape: Shape, recipe: Recipe) -> State:
    """Return a network that has learnt nothing."""
    torch.manual_seed(recipe.seed)
    network = VelocityNetwork(shape).to(memory_format=torch.channels_last)
    average = VelocityNetwork(shape)
    average.load_state_dict(network.state_dict())
    kernels, others = split(network)
    muon = Muon(kernels, recipe.kernel_rate)
    adam = torch.optim.AdamW(others, recipe.rate, weight_decay=1e-4, betas=(0.9, 0.98), fused=True)
    return State(network, average, muon, adam)


def save(state: State, shape: Shape, path: Path) -> None:
    """Write a checkpoint; a reader never finds half of one."""
    part = path.with_suffix(".part")
    torch.save(
        {
            "shape": asdict(shape),
            "network": state.network.state_dict(),
            "average": state.average.state_dict(),
            "muon": state.muon.state_dict(),
            "adam": state.adam.state_dict(),
            "iteration": state.iteration,
            "spent": state.spent,
        },
        part,
    )
    part.replace(path)


def resume(state: State, path: Path) -> None:
    """Brings a state to where a checkpoint was."""
    kept = torch.load(path, weights_only=True)
    state.network.load_state_dict(kept["network"])
    state.average.load_state_dict(kept["average"])
    state.muon.load_state_dict(kept["muon"])
    state.adam.load_state_dict(kept["adam"])
    state.iteration, state.spent = kept["iteration"], kept["spent"]


def read_average(path: Path) -> VelocityNetwork:
    """Return the averaged network of a checkpoint, ready to paint."""
    kept = torch.load(path, weights_only=True)
    shape = kept["shape"]
    network = VelocityNetwork(Shape(**{**shape, "blocks": tuple(shape["blocks"])}))
    network.load_state_dict(kept["average"])
    network.eval()
    return network


def rate_at(recipe: Recipe, iteration: int, spent: float) -> float:
    """Return the part of the learning rates in force: up in `warm_up` steps, then down along a cosine to the end."""
    done = min(1.0, max(spent / recipe.seconds, iteration / recipe.iterations))
    return min(1.0, (iteration + 1) / recipe.warm_up) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def train(
    state: State, crops: Crops, recipe: Recipe, keep: Callable[[], None], *, report_every: int = 100
) -> Iterator[Row]:
    """Trains until the time or the iterations are over; yields a line every so many steps and at the end.

    Args:
        state: is changed.
        crops: the examples.
        recipe: how to train.
        keep: is called from time to time, and at the end, to write a checkpoint.
        report_every: steps between lines.
    """
    torch.set_num_threads(recipe.threads)
    step = _Step(state, crops, recipe)
    begun, kept, seen = time.monotonic() - state.spent, time.monotonic(), []
    while state.spent < recipe.seconds and state.iteration < recipe.iterations:
        rate = rate_at(recipe, state.iteration, state.spent)
        seen.append(step.take(rate))
        state.iteration, state.spent = state.iteration + 1, time.monotonic() - begun
        if time.monotonic() - kept > recipe.every:
            keep()
            crops.refresh()
            kept = time.monotonic()
        if state.iteration % report_every == 0 or state.iteration == recipe.iterations:
            loss, matching = np.mean(seen, 0)
            seen = []
            yield Row(state.iteration, state.spent, rate, float(loss), float(matching), len(crops))
    keep()


class _Step:
    def __init__(self, state: State, crops: Crops, recipe: Recipe) -> None:
        self._state, self._crops, self._recipe = state, crops, recipe
        paint = state.network.painting
        self._paint = torch.compile(paint) if recipe.compiled else paint
        self._chance = np.random.default_rng([recipe.seed, state.iteration])
        self._torch_chance = torch.Generator().manual_seed(recipe.seed + state.iteration)

    def take(self, rate: float) -> tuple[float, float]:
        photo, painting, noise, style = self._batch()
        t = times(len(photo), self._torch_chance)
        x = between(painting, noise, t)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._recipe.half):
            predicted = self._paint(x.contiguous(memory_format=torch.channels_last), photo, t, style)
        predicted = predicted.float()
        loss = stroke_loss(predicted, painting, t).mean()
        if self._recipe.spectra:
            loss = loss + self._recipe.spectra * spectrum_loss(predicted[:_SPECTRA_OF], painting[:_SPECTRA_OF]).mean()
        self._descend(loss, rate)
        return float(loss.detach()), float(matching_loss(predicted.detach(), painting, t).mean())

    def _batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        drawn = [self._crops.draw(self._chance) for _ in range(self._recipe.batch)]
        photo, painting = (
            torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
            for pictures in ([crop.photo for crop in drawn], [crop.painting for crop in drawn])
        )
        noise = torch.from_numpy(np.stack([crop.noise for crop in drawn])).permute(0, 3, 1, 2)
        return photo, painting, noise, torch.tensor([crop.style for crop in drawn])

    def _descend(self, loss: Tensor, rate: float) -> None:
        state = self._state
        for optimiser, highest in ((state.muon, self._recipe.kernel_rate), (state.adam, self._recipe.rate)):
            for group in optimiser.param_groups:
                group["lr"] = highest * rate
        state.network.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), 1.0)
        state.muon.step()
        state.adam.step()
        if state.iteration % _AVERAGE_EVERY:
            return
        decay = min(self._recipe.average, (state.iteration + 1) / (state.iteration + 10)) ** _AVERAGE_EVERY
        with torch.no_grad():
            kept, now = list(state.average.parameters()), list(state.network.parameters())
            torch._foreach_lerp_(kept, now, 1 - decay)


def write_row(path: Path, row: Row) -> None:
    """Add a line to a table, and its head if the table is new."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(row)))
        if new:
            writer.writeheader()
        writer.writerow({name: round(value, 6) for name, value in asdict(row).items()})
