"""Deployment of Pellicule on one machine."""
