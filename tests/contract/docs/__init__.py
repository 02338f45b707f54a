"""What documents say, held to what is there."""
