"""Finds the pictures that the roll is made of: in installed Python packages, and in Debian packages."""

import hashlib
import importlib.util
import io
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from deploy.samples import debian, qt_resources
from deploy.samples.credits import Credit, catalogue
from deploy.samples.errors import PackageUnreadable

Pixels = NDArray[np.uint8]
_WHEELS: Final = {"scikit-image", "scikit-learn", "matplotlib"}
_RESOURCES: Final = "usr/share/gcompris-qt/rcc/"
_ACTIVITIES: Final = "/gcompris/src/activities/"


@dataclass(frozen=True)
class Library:
    """The pictures at hand.

    Attributes:
        pictures: the content of each picture's file, by its name in `credits.toml`.
        missing_packages: the packages whose pictures are not at hand, or not the expected ones.
    """

    pictures: Mapping[str, bytes]
    missing_packages: tuple[str, ...] = ()
    _opened: dict[str, Pixels] = field(default_factory=dict, compare=False, repr=False)

    def has(self, name: str) -> bool:
        """Whether a picture is at hand."""
        return name in self.pictures

    def pixels(self, name: str) -> Pixels:
        """Decodes a picture: UINT8 RGB [height, width, 3]."""
        if name not in self._opened:
            with Image.open(io.BytesIO(self.pictures[name])) as image:
                self._opened[name] = np.asarray(image.convert("RGB"))
        return self._opened[name]

    def digest(self) -> str:
        """One digest of which pictures are at hand, in hex: rolls made of the same pictures share it."""
        rows = sorted(catalogue()[name].sha256 for name in self.pictures)
        return hashlib.sha256("".join(rows).encode()).hexdigest()


def default_cache() -> Path:
    """The folder in which pictures out of Debian packages are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pellicule" / "samples"


def open_library(
    cache: Path, *, fetch: Callable[[str, Path], Path | None] = debian.fetch, told: Callable[[str], None] = print
) -> Library:
    """Gathers every picture that can be had.

    Args:
        cache: keeps pictures out of Debian packages, each under its digest.
        fetch: brings a Debian package into a folder, or nothing.
        told: hears which package is being fetched.
    """
    pictures = _installed()
    pictures |= _cached(cache, catalogue())
    for package, names in _wanted_by_package(pictures).items():
        told(f"fetching {package}")
        found = _fetched(package, names, fetch)
        for name, content in found.items():
            _keep(cache, catalogue()[name], content)
        pictures |= found
    return Library(pictures, tuple(sorted({catalogue()[name].package for name in catalogue() if name not in pictures})))


def _wanted_by_package(pictures: Mapping[str, bytes]) -> Mapping[str, list[str]]:
    wanted: dict[str, list[str]] = defaultdict(list)
    for name, credit in catalogue().items():
        if name not in pictures and credit.package not in _WHEELS:
            wanted[credit.package].append(name)
    return wanted


def _is(credit: Credit, content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == credit.sha256


def _installed() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, credit in catalogue().items():
        path = _wheel_file(credit) if credit.package in _WHEELS else None
        if path is not None and path.is_file() and _is(credit, content := path.read_bytes()):
            found[name] = content
    return found


def _wheel_file(credit: Credit) -> Path | None:
    top = credit.path.split("/", 1)[0]
    spec = importlib.util.find_spec(top)
    return Path(spec.origin).parent.parent / credit.path if spec is not None and spec.origin else None


def _cached(cache: Path, wanted: Mapping[str, Credit]) -> dict[str, bytes]:
    paths = {name: cache / credit.sha256 for name, credit in wanted.items()}
    contents = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
    return {name: content for name, content in contents.items() if _is(wanted[name], content)}


def _keep(cache: Path, credit: Credit, content: bytes) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f"{credit.sha256}.{os.getpid()}.part"
    part.write_bytes(content)
    part.replace(cache / credit.sha256)


def _fetched(package: str, names: Iterable[str], fetch: Callable[[str, Path], Path | None]) -> dict[str, bytes]:
    wanted = {catalogue()[name].path: name for name in names}
    with debian.scratch() as folder:
        archive = fetch(package, Path(folder))
        if archive is None:
            return {}
        try:
            contents = [(wanted[path], content) for path, content in _files(archive, set(wanted)) if path in wanted]
        except PackageUnreadable:
            # A package that cannot be read is a package that cannot be had: the roll is built without it.
            return {}
    return {name: content for name, content in contents if _is(catalogue()[name], content)}


def _files(archive: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    resources = {f"{_RESOURCES}{path.split('/', 1)[0]}.rcc" for path in wanted}
    for path, content in debian.members(archive):
        if path in resources:
            for entry, picture in qt_resources.entries(content):
                yield entry.removeprefix(_ACTIVITIES), picture
        else:
            yield path, content
