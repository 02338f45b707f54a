"""Use cases of retention, each a function over the one bag of what it is handed (`dependencies`).

Invariants of every one: what is destroyed, the orders that follow from it and the word to the holders of keys are one
transaction; each function may be repeated after a crash at any point.
"""
