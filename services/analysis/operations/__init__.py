"""Use cases: a verb and a noun each. They know ports and adapters, no wires and no tables."""
