"""Suggestion service: what of a person's photos is worth showing, made into pictures for them alone.

Invariants:
- A suggestion is sealed under a key that derives from every photo in it: erase one and it cannot be opened.
- No photo shows up twice in a suggestion, neither itself nor a near-duplicate of it.
- A face is never cut by a crop.
- What its owner dismissed does not come back, and nothing of its theme for a while.
"""
