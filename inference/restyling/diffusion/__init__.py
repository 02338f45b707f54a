"""Sampling of a picture, with numpy alone.

This folder is copied beside the served model's code, where it is the package `diffusion`: its modules import one
another by relative names, and nothing else but numpy and the standard library.
"""
