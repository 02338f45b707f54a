"""MinIO server program: its community edition publishes no binaries any more.

Run as a module, it builds the program and prints its path.
"""

import sys
from pathlib import Path
from typing import Final

from deploy.local.parts.go_program import GoProgram

MINIO: Final = GoProgram("minio", "github.com/minio/minio", "v0.0.0-20260212201848-7aac2a2c5b7c", field="object-store")


def cached_minio() -> Path | None:
    """Return the program if it was built already."""
    return MINIO.cached()


def minio_program() -> Path:
    """Return the program, building it first if need be; raise as `GoProgram.built`."""
    return MINIO.built()


if __name__ == "__main__":
    sys.stdout.write(f"{minio_program()}\n")
