"""The suggestion service: what of a person's photos is worth showing, made into pictures for their eyes alone.

Invariants:
- An idea is sealed under a key that derives from every photo in it: erase one of them and the idea cannot be opened.
- No photo shows up twice in an idea, neither itself nor a near-duplicate of it.
- A face is never cut by a crop.
- What its owner dismissed does not come back, and nothing of its theme for a while.
"""
