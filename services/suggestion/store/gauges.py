"""Gauges of suggestion: persons whose suggestions are due to be made."""

DUE = """
    SELECT count(*), extract(epoch FROM now() - min(first_time))::float
    FROM (SELECT first_time FROM due ORDER BY first_time LIMIT 10000) AS due
"""
"""Persons for whom photos have come; how many, and for how many seconds the first of them waits."""
