"""Tests of Pellicule."""
