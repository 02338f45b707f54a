"""The model set: a folder with a typed manifest and a card for each model, and the build that makes ONNX of it.

Invariants:
    * A model is installed whole or not at all: `built.json` is written last, and a folder appears by one rename.
    * What was built is proven by its golden outputs before anybody may serve it.
"""
