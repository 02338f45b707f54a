"""Vision computations between a decoded picture and the models, and between their outputs and what they mean.

Invariants:
    * Pure functions of arrays: no server, no file that is not shipped with the code, no state.
    * A picture is UINT8 RGB [height, width, 3], upright; every place in it is relative (0..1) to its sides.
"""
