"""The database of retention: a class for each port, a method for each statement, plain SQL."""
