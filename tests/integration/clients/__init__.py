"""What other languages make of the contracts."""
