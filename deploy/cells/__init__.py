"""Simulation of many persons in cells: what a cell carries, what breaks first, what a new or a lost one means."""
