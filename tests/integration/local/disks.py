"""Disk in a file, whose power can be cut: what was not written to it by then is lost, as on a real one."""

import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SHUT_DOWN = 0x8004587D
WITHOUT_FLUSHING = 2
FILE_SYSTEMS = ("ext4", "xfs")
PATIENCE = 60.0


@dataclass(frozen=True)
class Disk:
    """A file system of its own, mounted at `folder`."""

    image: Path
    folder: Path

    def mount(self) -> bool:
        mounted = subprocess.run(["mount", "-o", "loop", self.image, self.folder], capture_output=True, check=False)
        return mounted.returncode == 0

    def cut(self) -> None:
        """Cut the power: from now on nothing is written, and what was not is gone."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUT_DOWN, struct.pack("I", WITHOUT_FLUSHING))
        finally:
            os.close(descriptor)

    def begin_again(self) -> None:
        """Mount what is on the disk, once everything that used it has ended, in whatever namespace."""
        subprocess.run(["umount", self.folder], check=True, capture_output=True)
        end = time.monotonic() + PATIENCE
        while subprocess.run(["losetup", "--associated", self.image], capture_output=True, check=True).stdout:
            assert time.monotonic() < end, "something holds the disk of before"
            time.sleep(0.1)
        assert self.mount()


@contextmanager
def disk(folder: Path, *, file_system: str = "ext4", size: str = "3G") -> Iterator[Disk]:
    """Make a disk for as long as the block lasts; skip the test where that cannot be done."""
    maker = shutil.which(f"mkfs.{file_system}")
    if os.geteuid() != 0 or maker is None:
        pytest.skip(f"a disk of its own is mounted by root, and made by mkfs.{file_system}")
    made = Disk(folder / "image", folder / "disk")
    made.folder.mkdir()
    subprocess.run(["truncate", f"--size={size}", made.image], check=True)
    subprocess.run([maker, "-q", made.image], check=True)
    if not made.mount():
        pytest.skip(f"{file_system} cannot be mounted here")
    try:
        yield made
    finally:
        subprocess.run(["umount", "--lazy", made.folder], check=True)
