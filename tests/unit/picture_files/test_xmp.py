"""XMP packets: what is said in them in every spelling, and what hostile ones cannot do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.picture_files.xmp import JPEG_PREFIX, MAX_XMP_BYTES, read_xmp

NAMESPACES = (
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
)


def packet(attributes: str = "", inner: str = "", *, before: str = "", namespaces: str = NAMESPACES) -> bytes:
    return (
        f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {namespaces} {attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def test_properties_are_read_as_attributes_as_elements_and_as_items() -> None:
    found = read_xmp(
        packet(
            'xmp:CreateDate=" 2026-11-21 "',
            "<exif:DateTimeOriginal>2026-11-20T10:00:00</exif:DateTimeOriginal>"
            "<photoshop:DateCreated><rdf:Seq><rdf:li>2026</rdf:li><rdf:li>2025</rdf:li></rdf:Seq></photoshop:DateCreated>",
        )
    )
    assert found.text("xmp:CreateDate") == "2026-11-21"
    assert found.text("exif:DateTimeOriginal") == "2026-11-20T10:00:00"
    assert found.text("photoshop:DateCreated") == "2026"
    assert found.text("tiff:Orientation") == ""


@pytest.mark.parametrize(
    "wrapped", [JPEG_PREFIX + packet('tiff:Orientation="6"'), packet('tiff:Orientation="6"') + b"\0" * 2000]
)
def test_the_prefix_of_jpeg_and_padding_do_not_matter(wrapped: bytes) -> None:
    assert read_xmp(wrapped).text("tiff:Orientation") == "6"


def test_what_a_packet_calls_a_namespace_does_not_matter() -> None:
    own = 'xmlns:a="http://ns.adobe.com/xap/1.0/" xmlns:xmp="http://example.org/"'
    found = read_xmp(packet('a:CreateDate="2026" xmp:Other="1"', namespaces=own))
    assert found.text("xmp:CreateDate") == "2026"


def test_lost_declarations_are_made_up_for() -> None:
    assert read_xmp(packet('xmp:CreateDate="2026"', namespaces="")).text("xmp:CreateDate") == "2026"


def test_utf_16_is_read() -> None:
    text = packet('xmp:CreateDate="2026"').decode().split("?>", 1)[1].replace("\ufeff", "")
    assert read_xmp(text.encode("utf-16")).text("xmp:CreateDate") == "2026"


def test_what_is_said_of_another_picture_is_not_said_of_this_one() -> None:
    inner = (
        '<x:Pantry xmlns:x="http://ns.adobe.com/xap/1.0/mm/"><rdf:Bag><rdf:li><rdf:Description xmp:CreateDate="2012">'
        "<exif:DateTimeOriginal>2012</exif:DateTimeOriginal></rdf:Description></rdf:li></rdf:Bag></x:Pantry>"
    )
    found = read_xmp(packet("", inner))
    assert (found.text("xmp:CreateDate"), found.text("exif:DateTimeOriginal")) == ("", "")


def test_a_packet_that_was_cut_short_says_what_it_said_until_then() -> None:
    whole = packet('xmp:CreateDate="2026"', "<tiff:Make>Pellicam</tiff:Make>" * 9)
    assert read_xmp(whole[: whole.index(b"<tiff:Make>") + 5]).text("xmp:CreateDate") == "2026"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY a "2026">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x [<!ENTITY a "' + "b" * 1000 + '"><!ENTITY c "' + "&a;" * 1000 + '">]>',
    ],
)
def test_entities_are_never_resolved(doctype: str) -> None:
    assert read_xmp(packet("", "<xmp:CreateDate>&a;</xmp:CreateDate>", before=doctype)).properties == {}


def test_depth_count_and_length_are_bounded() -> None:
    deep = packet("", "<xmp:A>" * 5_000 + "</xmp:A>" * 5_000)
    many = packet("", "".join(f"<xmp:P{n}>{n}</xmp:P{n}>" for n in range(10_000)))
    long = packet("", f"<xmp:Long>{'x' * 100_000}</xmp:Long><xmp:CreateDate>2026</xmp:CreateDate>")
    assert read_xmp(deep).properties.keys() <= {"rdf:about"}
    assert len(read_xmp(many).properties) <= 2_000
    assert (read_xmp(long).text("xmp:Long"), read_xmp(long).text("xmp:CreateDate")) == ("", "2026")
    assert read_xmp(packet('xmp:CreateDate="2026"') + b" " * MAX_XMP_BYTES + b"<").properties == {}


@given(st.binary(max_size=400), st.data())
def test_no_packet_raises(noise: bytes, data: st.DataObject) -> None:
    sound = packet('xmp:CreateDate="2026-11-21" tiff:Orientation="6"', "<exif:GPSLatitude>48,51.5N</exif:GPSLatitude>")
    place = data.draw(st.integers(0, len(sound)))
    read_xmp(noise)
    read_xmp(sound[:place] + noise + sound[place + len(noise) :])


def test_no_packet_at_all_says_nothing() -> None:
    assert read_xmp(None).properties == read_xmp(b"").properties == {}
