"""Packages inside an image, as they tell of themselves: Python's distributions and Debian's packages."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import PurePosixPath
from typing import Final

from deploy.images.lock import normalised, package_of

DEBIAN_STATUS: Final = "var/lib/dpkg/status"
_RELEASE: Final = "usr/lib/os-release"
_METADATA: Final = "METADATA"
_LONGEST_LICENCE: Final = 80
"""Some packages have the whole text where its name belongs."""


@dataclass(frozen=True)
class Package:
    """Something that was installed.

    Attributes:
        name: As its kind of package writes it.
        version: Likewise.
        url: Its package URL: `pkg:pypi/...` or `pkg:deb/...`.
        licence: An SPDX expression or a licence's name; empty when it names none.
        needs: The names of packages of the same kind that it needs.
    """

    name: str
    version: str
    url: str
    licence: str = ""
    needs: tuple[str, ...] = ()


def is_wanted(path: str) -> bool:
    """Say whether a file of an image tells of a package."""
    name = PurePosixPath(path)
    return path in (DEBIAN_STATUS, _RELEASE) or (name.name == _METADATA and name.parent.suffix == ".dist-info")


def packages(files: Mapping[str, bytes]) -> Sequence[Package]:
    """Return the packages that the files of an image tell of, by their package URL."""
    python = (_python(content) for path, content in files.items() if path.endswith(_METADATA))
    debian = _debian(files.get(DEBIAN_STATUS, b""), _release(files.get(_RELEASE, b"")))
    return sorted({package.url: package for package in (*python, *debian)}.values(), key=lambda each: each.url)


def _python(content: bytes) -> Package:
    metadata = BytesParser().parsebytes(content)
    name, version = normalised(str(metadata["Name"])), str(metadata["Version"])
    return Package(
        name=name,
        version=version,
        url=f"pkg:pypi/{name}@{version}",
        licence=_licence(metadata),
        needs=tuple(_needed(metadata.get_all("Requires-Dist") or ())),
    )


def _needed(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        _, _, marker = text.partition(";")
        if "extra" not in marker:
            yield package_of(text)


def _licence(metadata: Message) -> str:
    classified = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or () if "License ::" in line]
    named = (metadata["License-Expression"], metadata["License"], *classified)
    return next((text for each in named if each and len(text := str(each).strip()) <= _LONGEST_LICENCE), "")


def _debian(status: bytes, release: str) -> Iterator[Package]:
    for stanza in status.decode("utf-8", "replace").split("\n\n"):
        fields = dict(re.findall(r"(?m)^([A-Z][A-Za-z-]*): ?(.*)$", stanza))
        if fields.get("Status", "").endswith(" installed"):
            name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
            kind = f"arch={architecture}{release and f'&distro={release}'}"
            yield Package(name, version, f"pkg:deb/debian/{name}@{_quoted(version)}?{kind}")


def _release(content: bytes) -> str:
    fields = dict(re.findall(r'(?m)^([A-Z_]+)="?([^"\n]*)"?$', content.decode("utf-8", "replace")))
    return f"{fields['ID']}-{fields['VERSION_ID']}" if {"ID", "VERSION_ID"} <= fields.keys() else ""


def _quoted(version: str) -> str:
    return version.replace("+", "%2B").replace(":", "%3A").replace("~", "%7E")
