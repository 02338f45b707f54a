"""Teachers: painters of our own, each a pure function of a photo and of a field of noise.

A painter's chance comes from the noise alone: where a stroke is set, which way it errs, how rough the paper is. The
noise is the very one that the restyler starts from, so that a photo and a noise have one painting, and the network
can learn the way from the one to the other as a straight line (see `inference/training/restyler/flow.py`).

Lengths are in pixels of a picture whose long side is about 512.
"""
