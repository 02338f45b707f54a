"""Scripts that make the weights of our own models; run by hand, never by the product.

Invariants:
    * Every script is seeded and says in the model's card which data it took and what it measured.
"""
