"""Probes that prove an engine: the golden input of the model, and a handful of licensed pictures."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.engines.deltas import Tensors
from inference.model_build.golden import golden_inputs
from inference.model_build.manifest import Manifest
from inference.vision.alignment import CHIP_SIDE
from inference.vision.pictures import DETECTOR_SIDE, Picture, letterbox

_LONG: Final = 4  # so many times as wide as high, a picture is a line of text
_LINES: Final = ("Total 12.50 EUR", "Thank you for your visit", "2026-11-22 14:05", "Pellicule")
PICTURES: Final = Path(__file__).with_name("pictures")


@dataclass(frozen=True)
class Input:
    """An input of a graph; `shape` leaves out the batch."""

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Probe:
    """A request to a model: input name -> array with a batch of one in front."""

    name: str
    inputs: Tensors


def probes(manifest: Manifest, inputs: Sequence[Input]) -> tuple[Probe, ...]:
    """Draw the probes of a model; the same ones everywhere.

    Args:
        manifest: the model's.
        inputs: the inputs of its graph.
    """
    if {tensor.name: tensor.shape for tensor in manifest.inputs} != {each.name: each.shape for each in inputs}:
        return tuple(Probe(f"drawn-{seed}", {each.name: _drawn(each, seed) for each in inputs}) for seed in range(2))
    golden = Probe("golden", golden_inputs(manifest))
    picture = inputs[0] if len(inputs) == 1 and _is_picture(inputs[0]) else None
    return (golden, *_pictures(picture)) if picture else (golden,)


def _is_picture(tensor: Input) -> bool:
    return tensor.dtype == np.uint8 and len(tensor.shape) == 3 and tensor.shape[2] == 3


def _pictures(tensor: Input) -> list[Probe]:
    height, width = tensor.shape[:2]
    if width >= _LONG * height:
        return [Probe(f"line-{index}", {tensor.name: _line(text, tensor.shape)}) for index, text in enumerate(_LINES)]
    faces = (height, width) == (CHIP_SIDE, CHIP_SIDE)
    files = sorted(PICTURES.glob("*_face.png" if faces else "*.jpg"))
    return [Probe(path.stem, {tensor.name: _fitted(_read(path), tensor.shape)[None]}) for path in files]


def _line(text: str, shape: tuple[int, ...]) -> Picture:
    """Write a line of text, dark on light, as high as the picture."""
    canvas = np.full((1, *shape), 244, np.uint8)
    baseline = (shape[0] // 3, shape[0] * 3 // 4)
    cv2.putText(canvas[0], text, baseline, cv2.FONT_HERSHEY_DUPLEX, shape[0] / 40, (28, 24, 30), 2, cv2.LINE_AA)
    return canvas


def _read(path: Path) -> Picture:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _fitted(picture: Picture, shape: tuple[int, ...]) -> Picture:
    height, width = shape[:2]
    if (height, width) == (DETECTOR_SIDE, DETECTOR_SIDE):
        return letterbox(picture).canvas
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))


def _drawn(tensor: Input, seed: int) -> NDArray[np.generic]:
    """Draw numbers for an input that no manifest describes: floats of -1..1 or, alone, of 0..1; whole ones of 0..1."""
    chance = np.random.default_rng((zlib.crc32(tensor.name.encode()), seed))
    shape = (1, *tensor.shape)
    if np.issubdtype(tensor.dtype, np.floating):
        return chance.uniform(-1 if tensor.shape else 0, 1, shape).astype(tensor.dtype)
    return chance.integers(0, 256 if tensor.dtype == np.uint8 else 2, shape).astype(tensor.dtype)
