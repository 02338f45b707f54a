"""XMP (ISO 16684-1): the simple properties of a packet, read without trusting it.

A packet is XML that anybody can write. It is read by expat in one pass, bounded in bytes, depth and count; a document
type, and with it every entity, ends the reading. What was read until something is broken counts.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from xml.parsers import expat

MAX_XMP_BYTES: Final = 1024 * 1024
"""A longer packet is left unread: what is of interest stands in the main packet, which JPEG bounds to 64 KiB."""
JPEG_PREFIX: Final = b"http://ns.adobe.com/xap/1.0/\0"
"""What JPEG's APP1 begins with if a packet follows."""
_MAX_DEPTH: Final = 64
_MAX_PROPERTIES: Final = 2_000
_MAX_CHARACTERS: Final = 1_024
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# Packets whose declarations were lost are read by the prefixes that everybody uses.
_USUAL: Final = MappingProxyType(
    {
        "aux": "http://ns.adobe.com/exif/1.0/aux/",
        "exif": "http://ns.adobe.com/exif/1.0/",
        "exifEX": "http://cipa.jp/exif/1.0/",
        "photoshop": "http://ns.adobe.com/photoshop/1.0/",
        "rdf": _RDF,
        "tiff": "http://ns.adobe.com/tiff/1.0/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "xap": "http://ns.adobe.com/xap/1.0/",
    }
)
# Some writers end a namespace without its slash.
_PREFIXES: Final = MappingProxyType({uri.rstrip("/#"): prefix for prefix, uri in _USUAL.items() if prefix != "xap"})
_Names = dict[str, str]


@dataclass(frozen=True)
class Xmp:
    """The properties of a packet.

    Attributes:
        properties: Text by name, such as "xmp:CreateDate"; of an array its first item. Names have the prefixes that
            are usual, whatever the packet calls them.
    """

    properties: Mapping[str, str] = field(default_factory=dict, repr=False)

    def text(self, name: str) -> str:
        """Return a property without blanks at its ends; "" if it is not there."""
        return self.properties.get(name, "")


class _TooMuch(Exception):
    """The packet goes beyond the bounds, or holds what none needs."""


def read_xmp(packet: bytes | None) -> Xmp:
    """Read a packet, with or without the prefix that JPEG wants before it; one that is broken says less, or nothing."""
    body = (packet or b"").removeprefix(JPEG_PREFIX).strip(b"\0 \t\r\n")
    if not body or len(body) > MAX_XMP_BYTES:
        return Xmp()
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.refuse
    with suppress(expat.ExpatError, _TooMuch, ValueError, LookupError):
        parser.Parse(body, True)
    return Xmp(MappingProxyType(reader.found))


class _Reader:
    """Takes note of what stands directly in the descriptions of `rdf:RDF`; what lies deeper belongs to other things."""

    def __init__(self) -> None:
        self.found: _Names = {}
        self._open: list[str] = []
        self._namespaces: list[_Names] = [dict(_USUAL)]
        self._text = ""

    def start(self, name: str, attributes: _Names) -> None:
        """Begin an element."""
        if len(self._open) >= _MAX_DEPTH:
            raise _TooMuch
        declared = {key[6:]: uri for key, uri in attributes.items() if key.startswith("xmlns:")}
        self._namespaces.append(self._namespaces[-1] | declared if declared else self._namespaces[-1])
        self._open.append(self._usual(name))
        self._text = ""
        if self._open[-2:] == ["rdf:RDF", "rdf:Description"] and self._open.count("rdf:RDF") == 1:
            for key, value in attributes.items():
                if not key.startswith("xmlns"):
                    self._keep(self._usual(key), value)

    def characters(self, text: str) -> None:
        """Take text of the innermost element."""
        if len(self._text) <= _MAX_CHARACTERS:
            self._text += text

    def end(self, _: str) -> None:
        """End an element: a property, or an item of one."""
        path = self._open[self._open.index("rdf:RDF") :] if "rdf:RDF" in self._open else []
        is_item = len(path) == 5 and path[3] in ("rdf:Seq", "rdf:Alt", "rdf:Bag") and path[4] == "rdf:li"
        if path[1:2] == ["rdf:Description"] and (len(path) == 3 or is_item):
            self._keep(path[2], self._text)
        self._open.pop()
        self._namespaces.pop()
        self._text = ""

    def refuse(self, *_: object) -> None:
        """End the reading at a document type: entities come with it."""
        raise _TooMuch

    def _keep(self, name: str, text: str) -> None:
        value = text.strip("\0 \t\r\n")
        if not value or len(value) > _MAX_CHARACTERS or name in self.found:
            return
        if len(self.found) >= _MAX_PROPERTIES:
            raise _TooMuch
        self.found[name] = value

    def _usual(self, name: str) -> str:
        prefix, colon, local = name.partition(":")
        uri = self._namespaces[-1].get(prefix, "")
        return f"{_PREFIXES.get(uri.rstrip('/#'), prefix)}:{local}" if colon else name
