"""Sources of the roll's pictures: installed Python packages, and Debian packages."""

import hashlib
import importlib.util
import io
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
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
        """Decode a picture: UINT8 RGB [height, width, 3]."""
        if name not in self._opened:
            with Image.open(io.BytesIO(self.pictures[name])) as image:
                self._opened[name] = np.asarray(image.convert("RGB"))
        return self._opened[name]


def default_cache() -> Path:
    """Return the folder in which pictures out of Debian packages are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pellicule" / "samples"


def open_library(
    cache: Path,
    *,
    wanted: Mapping[str, Credit] | None = None,
    fetch: Callable[[str, Path], Path | None] = debian.fetch,
    told: Callable[[str], None] = lambda _: None,
) -> Library:
    """Gathers every picture that can be had.

    Args:
        cache: keeps pictures out of Debian packages, each under its digest.
        wanted: the pictures, by name; those of `credits.toml` by default.
        fetch: brings a Debian package into a folder, or nothing.
        told: hears which package is being fetched.
    """
    wanted = catalogue() if wanted is None else wanted
    pictures = _installed(wanted) | _cached(cache, wanted)
    for package, rows in _by_package(wanted, pictures).items():
        told(f"fetching {package}")
        found = _fetched(package, rows, fetch)
        for name, content in found.items():
            _keep(cache, rows[name], content)
        pictures |= found
    return Library(pictures, tuple(sorted({row.package for name, row in wanted.items() if name not in pictures})))


def _by_package(wanted: Mapping[str, Credit], pictures: Mapping[str, bytes]) -> Mapping[str, dict[str, Credit]]:
    """Return what is still wanted of each Debian package."""
    packages: dict[str, dict[str, Credit]] = defaultdict(dict)
    for name, credit in wanted.items():
        if name not in pictures and credit.package not in _WHEELS:
            packages[credit.package][name] = credit
    return packages


def _is(credit: Credit, content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == credit.sha256


def _installed(wanted: Mapping[str, Credit]) -> dict[str, bytes]:
    paths = {name: _wheel_file(credit) for name, credit in wanted.items() if credit.package in _WHEELS}
    return _read({name: path for name, path in paths.items() if path is not None}, wanted)


def _wheel_file(credit: Credit) -> Path | None:
    spec = importlib.util.find_spec(credit.path.split("/", 1)[0])
    return Path(spec.origin).parent.parent / credit.path if spec is not None and spec.origin else None


def _cached(cache: Path, wanted: Mapping[str, Credit]) -> dict[str, bytes]:
    return _read({name: cache / credit.sha256 for name, credit in wanted.items()}, wanted)


def _read(paths: Mapping[str, Path], wanted: Mapping[str, Credit]) -> dict[str, bytes]:
    contents = {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
    return {name: content for name, content in contents.items() if _is(wanted[name], content)}


def _keep(cache: Path, credit: Credit, content: bytes) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f"{credit.sha256}.{os.getpid()}.part"
    part.write_bytes(content)
    part.replace(cache / credit.sha256)


def _fetched(package: str, rows: Mapping[str, Credit], fetch: Callable[[str, Path], Path | None]) -> dict[str, bytes]:
    names = {credit.path: name for name, credit in rows.items()}
    with debian.scratch() as folder:
        archive = fetch(package, Path(folder))
        if archive is None:
            return {}
        try:
            contents = [(names[path], content) for path, content in _files(archive, set(names)) if path in names]
        except PackageUnreadable:
            # A package that cannot be read is a package that cannot be had: the roll is built without it.
            return {}
    return {name: content for name, content in contents if _is(rows[name], content)}


def _files(archive: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    resources = {f"{_RESOURCES}{path.split('/', 1)[0]}.rcc" for path in wanted}
    for path, content in debian.members(archive):
        if path in resources:
            for entry, picture in qt_resources.entries(content):
                yield entry.removeprefix(_ACTIVITIES).removeprefix("/"), picture
        else:
            yield path, content
