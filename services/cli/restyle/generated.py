"""Files of generated pictures: they say what they are, and nothing about the persons in them.

The mark is written where programs look for it: the EXIF field Software, and the IPTC digital source type in XMP
(IPTC Photo Metadata Standard 2023.2). Nothing of the photo's own metadata goes along: no position, no time, no
thumbnail.
"""

from __future__ import annotations

import io
from pathlib import Path
from xml.sax.saxutils import quoteattr

from PIL import ExifTags, Image, PngImagePlugin

from services.cli.output import UsageWrong

SOFTWARE = "Pellicule: made with generative AI"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
QUALITY = 92
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    " Iptc4xmpExt:DigitalSourceType={source} xmp:CreatorTool={tool}/>"
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


def check_format(path: Path) -> None:
    """Refuse the name of a file that cannot be written, before any work is done.

    Raises:
        UsageWrong: FORMAT_UNKNOWN.
    """
    if path.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise UsageWrong("FORMAT_UNKNOWN", f"{path.name}: choose a name that ends in one of {known}", "--out")


def save(picture: Image.Image, path: Path, description: str) -> None:
    """Write a generated picture, marked as one.

    Args:
        picture: RGB.
        path: its suffix says the format; it is replaced when it is there.
        description: how it was made, in ASCII.
    """
    check_format(path)
    kind = _FORMATS[path.suffix.lower()]
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = SOFTWARE
    exif[ExifTags.Base.ImageDescription] = description
    xmp = _XMP.format(source=quoteattr(SOURCE_TYPE), tool=quoteattr(SOFTWARE)).encode()
    buffer = io.BytesIO()
    if kind == "PNG":
        picture.save(buffer, kind, exif=exif, pnginfo=_chunks(description, xmp))
    else:
        picture.save(buffer, kind, quality=QUALITY, exif=exif, xmp=xmp)
    # Written in one piece, so that a picture which cannot be encoded leaves no half of a file.
    path.write_bytes(buffer.getvalue())


def _chunks(description: str, xmp: bytes) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Software", SOFTWARE)
    chunks.add_text("Description", description)
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return chunks
