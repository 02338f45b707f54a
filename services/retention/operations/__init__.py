"""The use cases of retention, as plain functions with their dependencies as keywords.

Invariants of every one: what is destroyed, the orders that follow from it and the word to the holders of keys are one
transaction; each function may be repeated after a crash at any point.
"""
