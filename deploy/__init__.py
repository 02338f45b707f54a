"""How Pellicule is put on one machine."""
