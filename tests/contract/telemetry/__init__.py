"""No program that we run phones home."""
