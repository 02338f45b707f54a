"""Slots: places of the model set that an operator can fill with a model of their own.

Purpose: a face detector, a face embedder, a scene encoder, a text encoder or a restyler of somebody else's, as ONNX
files, is checked against the contract of its slot, installed, and served in place of the model that comes with the
product.

Invariants:
    * Nothing is installed that breaks its contract in any point: names, types, shapes, value ranges, behaviour.
    * Every point at which a file breaks it is told at once, each with what to change.
    * A filling is installed whole or not at all, and is named by the digest of its files.
"""
