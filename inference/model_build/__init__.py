"""Build of the model set: manifests, weights, conversion to ONNX, golden pairs; the data lies in `inference/models`.

Invariants:
    * A model is installed whole or not at all: `built.json` is written last, and a folder appears by one rename.
    * What was built is proven by its golden outputs before it may be served.
"""
