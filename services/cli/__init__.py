"""Command `pellicule`: what a newcomer, an owner of photos and an operator type."""
