"""Sample roll: about 60 pictures that look like the camera roll of a phone, built from installed packages.

Invariants:
    - Every picture that a file is made of has its author and licence in `credits.toml`, which names the digest of the
      very picture it speaks of; every file of the roll is listed with them in `ROLL.md`.
    - Every file says that it belongs to a synthetic roll, in its EXIF block and in its XMP packet.
    - The same recipe, sources and date make the same roll; a second run changes nothing.
    - Nothing is downloaded but Debian packages, by the machine's own apt; without it the roll is smaller.
"""

from deploy.samples.building import Report, Roll, Step, build_roll

__all__ = ["Report", "Roll", "Step", "build_roll"]
