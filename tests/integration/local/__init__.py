"""The parts of a one-machine stack: that each starts, serves, comes back, and leaves nothing behind."""
