"""Provisioning: makes the servers allow each service what is declared for it, and nothing else."""
