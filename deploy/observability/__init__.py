"""Observability: the schema of what is measured, dashboards, rules, objectives and collectors made for it."""
