"""Store of retention, in PostgreSQL: a class for each group of tables, a method for each statement."""
