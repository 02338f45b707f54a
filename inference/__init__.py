"""Inference side: which models are served, how they are built, and what their answers mean.

Invariants:
    * Weights come out of installable packages whose digest is pinned, never out of git and never from a hub.
    * Every model has one signature, whatever serves it: UINT8 pictures in, normalisation inside the graph,
      fixed spatial size, dynamic batch.
    * Nothing here knows a person, a store or a service: pictures and tensors in, numbers out.
"""
