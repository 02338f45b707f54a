"""Small models of our own, for tests of the build."""

import hashlib
from pathlib import Path

import numpy as np

from inference.model_build.golden import golden_inputs
from inference.model_build.manifest import Model, read_model

_MANIFEST = """
name = "small_head"
version = 1
task = "Tells two things apart."
slot = "document_head"
recipe = "linear_head"

[source]
kind = "file"
file = "weights.npz"
sha256 = "{sha256}"
trained_by = "a test"

[licence]
spdx = "CC0-1.0"
copyright = "none"
upstream = "none"
data = "none"
data_terms = "none"

[batching]
largest = 4

[[inputs]]
name = "embedding"
element = "FP32"
shape = [6]
meaning = "numbers"

[[outputs]]
name = "probabilities"
element = "FP32"
shape = [{classes}]
meaning = "how likely"
"""


def small_head(folder: Path, *, classes: int = 2) -> Model:
    """Write the folder of a small linear model, whole and right."""
    home = folder / "small_head"
    home.mkdir()
    weight = np.linspace(-1, 1, 12, dtype=np.float32).reshape(6, 2)
    np.savez(home / "weights.npz", weight=weight, bias=np.zeros(2, np.float32))
    digest = hashlib.sha256((home / "weights.npz").read_bytes()).hexdigest()
    (home / "manifest.toml").write_text(_MANIFEST.format(sha256=digest, classes=classes), "utf-8")
    model = read_model(home)
    scores = golden_inputs(model.manifest)["embedding"].astype(np.float32) @ weight
    powers = np.exp(scores - scores.max())
    np.savez(home / "golden.npz", probabilities=powers / powers.sum())
    return model
