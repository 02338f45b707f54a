"""Restyling: a photo painted anew by a network that begins from noise, in a few steps.

Purpose: one way to sample, wherever it runs. `diffusion` holds it and is copied beside the served model as it is, so
the server, the bare reference and the tests run the same lines. `assembly` puts the served model together, `local`
runs it in this process, `client` asks a server for it.

Invariants:
    The same photo, style, steps, strength and seed give the same picture, on every machine, up to rounding.
    A picture that cannot be restyled is refused by name before any network runs.
    Nothing is sampled on for somebody who does not wait any more: every step looks first.
"""
