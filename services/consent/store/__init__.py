"""Store of consent, in PostgreSQL: a module for the statements on each group of tables, and what composes them.

`persons`, `events` and `servings` hold one method per SQL statement; `records` seals what is personal in a row, under
keys of `record_keys`; `ledger`, `consents` and `notices` implement the protocols of `ports` from them.
"""
