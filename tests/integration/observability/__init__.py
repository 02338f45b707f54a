"""Rules on recorded series, in the program that evaluates them."""
