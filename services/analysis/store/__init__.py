"""Service's tables: a class for what is due, for what a person may read, and for what must go."""
