"""What is measured, and what dashboards, rules, runbooks and charts make of it, tell of the same things."""
