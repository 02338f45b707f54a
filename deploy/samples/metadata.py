"""Metadata of the roll's files: EXIF as a phone writes it, and an XMP packet with author and licence."""

from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from deploy.samples.credits import DRAWN, Credit
from deploy.samples.layout import Frame, seeded

MARK: Final = "Pellicule sample roll (synthetic roll from freely licensed pictures)"
_EXIF_VERSION: Final = b"0232"
_SCREENSHOT: Final = b"ASCII\0\0\0Screenshot"
_METRES: Final = (3, 160)


def exif(frame: Frame, credit: Credit | None, size: tuple[int, int]) -> Image.Exif:
    """Return the EXIF block of a frame.

    Args:
        frame: the frame; its position is written when it has one.
        credit: whose picture it is made of; nothing when it is drawn.
        size: width and height in pixels as stored, before turning.
    """
    block = Image.Exif()
    block[ExifTags.Base.ImageDescription] = MARK
    block[ExifTags.Base.Software] = MARK
    block[ExifTags.Base.Orientation] = 1 if frame.format == "heic" else frame.shot.orientation
    block[ExifTags.Base.DateTime] = _stamp(frame.taken)
    if credit is not None:
        block[ExifTags.Base.Artist] = credit.author.encode("ascii", "replace").decode()
        block[ExifTags.Base.Copyright] = f"{credit.licence}; see ROLL.md"
    if frame.phone is not None:
        block[ExifTags.Base.Make] = frame.phone.make
        block[ExifTags.Base.Model] = frame.phone.model
    _write_capture(block, frame, size)
    if frame.position is not None:
        _write_position(block, frame, frame.position)
    return block


def xmp(frame: Frame, credit: Credit | None) -> bytes:
    """Return the XMP packet of a frame: that the roll is synthetic, whose the picture is, and its licence."""
    author, title = escape((credit or DRAWN).author), escape((credit or DRAWN).title)
    terms = escape(f"{credit.licence}, from {credit.origin}" if credit else DRAWN.licence)
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/"'
        f' xmp:CreatorTool="{MARK}">'
        f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{MARK}</rdf:li></rdf:Alt></dc:description>'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>'
        f"<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>"
        f'<xmpRights:UsageTerms><rdf:Alt><rdf:li xml:lang="x-default">{terms}</rdf:li></rdf:Alt>'
        "</xmpRights:UsageTerms></rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y:%m:%d %H:%M:%S}"


def _offset(moment: datetime) -> str:
    text = f"{moment:%z}"
    return f"{text[:3]}:{text[3:]}"


def _write_capture(block: Image.Exif, frame: Frame, size: tuple[int, int]) -> None:
    capture = block.get_ifd(ExifTags.IFD.Exif)
    capture[ExifTags.Base.ExifVersion] = _EXIF_VERSION
    for stamp in (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized):
        capture[stamp] = _stamp(frame.taken)
    for offset in (ExifTags.Base.OffsetTime, ExifTags.Base.OffsetTimeOriginal, ExifTags.Base.OffsetTimeDigitized):
        capture[offset] = _offset(frame.taken)
    capture[ExifTags.Base.SubsecTimeOriginal] = f"{int(seeded('subsecond', frame.id).integers(1000)):03d}"
    capture[ExifTags.Base.ExifImageWidth], capture[ExifTags.Base.ExifImageHeight] = size
    if frame.phone is None:
        capture[ExifTags.Base.UserComment] = _SCREENSHOT if frame.shot.kind == "screenshot" else b"ASCII\0\0\0Saved"
        return
    capture[ExifTags.Base.LensModel] = frame.phone.lens
    capture[ExifTags.Base.FNumber] = IFDRational(round(frame.phone.f_number * 10), 10)
    capture[ExifTags.Base.FocalLength] = IFDRational(round(frame.phone.focal_length * 10), 10)
    night = frame.taken.hour >= 18 or frame.taken.hour < 7
    capture[ExifTags.Base.ExposureTime] = IFDRational(1, 20 if night else 400)
    capture[ExifTags.Base.ISOSpeedRatings] = 1250 if night else 64


def _write_position(block: Image.Exif, frame: Frame, position: tuple[float, float]) -> None:
    gps = block.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSVersionID] = b"\x02\x03\x00\x00"
    gps[ExifTags.GPS.GPSLatitudeRef] = "N" if position[0] >= 0 else "S"
    gps[ExifTags.GPS.GPSLatitude] = _sexagesimal(position[0])
    gps[ExifTags.GPS.GPSLongitudeRef] = "E" if position[1] >= 0 else "W"
    gps[ExifTags.GPS.GPSLongitude] = _sexagesimal(position[1])
    gps[ExifTags.GPS.GPSAltitudeRef] = b"\x00"
    gps[ExifTags.GPS.GPSAltitude] = IFDRational(int(seeded("height", frame.shot.place).integers(*_METRES)), 1)


def _sexagesimal(degrees: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    seconds = round(abs(degrees) * 360_000)
    return IFDRational(seconds // 360_000, 1), IFDRational(seconds // 6_000 % 60, 1), IFDRational(seconds % 6_000, 100)
