"""Golden pairs: a drawn input for each model, and what the model must answer.

The inputs are drawn with exact arithmetic alone, so every machine has the same bytes. Of an answer, only the leading
corner is kept where the rest would be noise (the detector's weak candidates, whose order means nothing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.model_build.errors import GoldenMismatch
from inference.model_build.manifest import FREE, Manifest, Model, Output, Signature, Tensor

GOLDEN_FILE: Final = "golden.npz"
Tensors = Mapping[str, NDArray[np.generic]]
FREE_SIDE: Final = 64  # what a free side has in the golden input
ELEMENTS: Final[Mapping[str, np.dtype[np.generic]]] = {
    "UINT8": np.dtype(np.uint8),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
}

_LONG: Final = 6  # from so many times as wide as high on, a picture is a line of text
_LETTERS: Final = {  # five columns each; a bit for each of seven rows, the highest row first
    "P": (0x7F, 0x48, 0x48, 0x48, 0x30),
    "E": (0x7F, 0x49, 0x49, 0x49, 0x41),
    "L": (0x7F, 0x01, 0x01, 0x01, 0x01),
    "I": (0x00, 0x41, 0x7F, 0x41, 0x00),
    "C": (0x3E, 0x41, 0x41, 0x41, 0x22),
    "U": (0x7E, 0x01, 0x01, 0x01, 0x7E),
}
_WORD: Final = "PELLICULE"
_FACES: Final = ((170, 190, 90), (430, 160, 62), (330, 430, 120))  # centre x, centre y, half the width


@dataclass(frozen=True)
class Golden:
    """A known input of a model and the answer it must give."""

    manifest: Manifest
    inputs: Tensors
    answers: Tensors
    outputs: tuple[Output, ...]

    def check(self, outputs: Tensors) -> None:
        """Compare a model's answer with the golden one.

        Args:
            outputs: output name -> array with the batch first.

        Raises:
            GoldenMismatch: an output is missing, has another shape, is not finite, or is too far off.
        """
        corners = self.corners(outputs)
        for spec in self.outputs:
            want = self.answers[spec.name].astype(np.float64)
            allowed = spec.absolute_tolerance + spec.relative_tolerance * np.abs(want)
            apart = np.abs(corners[spec.name] - want)
            if not np.all(apart <= allowed):
                raise self._mismatch(spec, f"is off by {np.nanmax(apart):.4g}")

    def corners(self, outputs: Tensors) -> dict[str, NDArray[np.float64]]:
        """Return as much of each output as its golden answer tells of.

        Raises:
            GoldenMismatch: an output is missing or has another shape.
        """
        return {spec.name: self._corner(outputs.get(spec.name), spec) for spec in self.outputs}

    def _corner(self, got: NDArray[np.generic] | None, spec: Tensor) -> NDArray[np.float64]:
        if got is None or not _fits(got, spec):
            raise self._mismatch(spec, f"has shape {None if got is None else got.shape}")
        return got[tuple(slice(length) for length in self.answers[spec.name].shape)].astype(np.float64)

    def _mismatch(self, spec: Tensor, what: str) -> GoldenMismatch:
        return GoldenMismatch(
            f"{self.manifest.name}: output {spec.name!r} {what} on the golden input", field=self.manifest.name
        )


def golden(model: Model) -> Golden:
    """Return the golden pair of a served model, read from its folder.

    Raises:
        GoldenMismatch: the file is missing or lacks an output.
    """
    return _pair(model, model.manifest)


def network_golden(model: Model) -> Golden:
    """Return the golden pair of a model's ONNX file: the same, unless serving does more than to run it once."""
    return _pair(model, model.manifest.graph)


def golden_inputs(signature: Signature) -> dict[str, NDArray[np.generic]]:
    """Draws a golden input: a picture with faces, a vector of features, or the numbers that the manifest gives."""
    return {tensor.name: _draw(tensor)[None] for tensor in signature.inputs}


def _pair(model: Model, signature: Signature) -> Golden:
    path = model.folder / GOLDEN_FILE
    try:
        with np.load(path, allow_pickle=False) as arrays:
            answers = {output.name: arrays[output.name] for output in signature.outputs}
    except (FileNotFoundError, KeyError) as error:
        raise GoldenMismatch(f"{path}: no golden outputs: {error}", field=model.name) from error
    return Golden(model.manifest, golden_inputs(signature), answers, signature.outputs)


def _fits(array: NDArray[np.generic], spec: Tensor) -> bool:
    """Whether an answer, whose first axis is the batch, has the shape promised."""
    sides = array.shape[1:]
    return len(sides) == len(spec.shape) and all(
        side == promised or promised == FREE for side, promised in zip(sides, spec.shape, strict=True)
    )


def _draw(tensor: Tensor) -> NDArray[np.generic]:
    shape = tuple(FREE_SIDE if side == FREE else side for side in tensor.shape)
    element = ELEMENTS[tensor.element]
    if tensor.golden is not None:
        return np.asarray(tensor.golden, np.float64).reshape(shape).astype(element)
    if tensor.element == "UINT8":
        return _picture(*shape[:2]) if shape[0] * _LONG > shape[1] else _line(*shape[:2])
    steps = (np.arange(int(np.prod(shape)), dtype=np.int64) * 2654435761 % 4096).reshape(shape)
    return (steps / 4096).astype(element)


def _picture(height: int, width: int) -> NDArray[np.uint8]:
    """Draws three faces before a shaded wall, squeezed into a width and a height in pixels."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    rows, columns = rows * (640 / height), columns * (640 / width)
    canvas = np.stack([96 + rows // 16, 120 + columns // 16, 150 - rows // 16], axis=-1)
    for x, y, half in _FACES:
        _draw_face(canvas, (columns - x) / half, (rows - y) / half)
    picture: NDArray[np.uint8] = canvas.astype(np.uint8)
    return picture


def _line(height: int, width: int) -> NDArray[np.uint8]:
    """Draws a word in large dots on white paper, over the whole height, with mid-grey after its end."""
    columns = [np.asarray([*_LETTERS[letter], 0], np.uint8) for letter in _WORD]
    dots = np.unpackbits(np.concatenate([np.zeros(1, np.uint8), *columns])[None], axis=0)[1:]
    dot = height // (len(dots) + 2)
    ink = np.kron(dots, np.ones((dot, dot), np.uint8))
    canvas = np.full((height, width, 3), 127, np.uint8)
    canvas[:, : ink.shape[1]] = 245
    canvas[dot : dot + ink.shape[0], : ink.shape[1]][ink > 0] = 25
    return canvas


def _draw_face(canvas: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Draws a face of half-width 1 around the origin of the coordinates given."""

    def ellipse(centre_x: float, centre_y: float, wide: float, high: float) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = ((x - centre_x) / wide) ** 2 + ((y - centre_y) / high) ** 2 <= 1
        return inside

    canvas[ellipse(0, -0.25, 1.12, 1.42)] = (52, 36, 28)
    skin = ellipse(0, 0.05, 0.95, 1.25)
    canvas[skin] = (224, 176, 150)
    canvas[skin] -= 26 * np.clip(np.abs(x[skin]), 0, 1)[:, None]
    for side in (-1, 1):
        canvas[ellipse(0.38 * side, -0.36, 0.24, 0.05)] = (70, 46, 36)
        canvas[ellipse(0.38 * side, -0.16, 0.20, 0.10)] = (245, 240, 236)
        canvas[ellipse(0.38 * side, -0.16, 0.09, 0.09)] = (50, 34, 24)
        canvas[ellipse(0.09 * side, 0.27, 0.06, 0.04)] = (120, 74, 62)
    canvas[ellipse(0, 0.2, 0.12, 0.1)] = (206, 150, 126)
    canvas[ellipse(0, 0.62, 0.36, 0.11)] = (176, 72, 70)
    canvas[ellipse(0, 0.61, 0.28, 0.03)] = (110, 40, 40)
