"""The store in PostgreSQL: a module for the statements on each group of tables, and what composes them.

`persons`, `events` and `notices` hold one method per SQL statement; `records` seals what is personal in a row;
`ledger` and `consents` implement the protocols of `ports` from them.
"""
