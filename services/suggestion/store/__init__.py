"""Tables of the suggestion service in PostgreSQL: a class for each aggregate, one statement in each method."""
