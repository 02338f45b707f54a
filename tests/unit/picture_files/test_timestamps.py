"""Timestamps in every spelling that cameras and programs have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.picture_files.timestamps import read_moment, read_zone


def read(text: str, zone: str = "", fraction: str = "") -> tuple[str, str] | None:
    moment = read_moment(text, zone, fraction)
    return None if moment is None else (moment.time.isoformat(), str(moment.precision))


@pytest.mark.parametrize(
    ("text", "time", "precision"),
    [
        ("2026:11:21 10:05:03", "2026-11-21T10:05:03", "SECOND"),
        ("2026:11:21 10:05:03\0", "2026-11-21T10:05:03", "SECOND"),
        ("2026:11:21\x0010:05:03", "2026-11-21T10:05:03", "SECOND"),
        ("2026:11: 5  9:05: 3", "2026-11-05T09:05:03", "SECOND"),
        ("2026:11: 5   : 5: 3", "2026-11-05T00:05:03", "SECOND"),
        ("2026: 1: 5 10: 5: 3", "2026-01-05T10:05:03", "SECOND"),
        ("2026:11:21   :  :  ", "2026-11-21T00:00:00", "DAY"),
        ("2026:11:  ", "2026-11-01T00:00:00", "MONTH"),
        ("2026:  :     :  :  ", "2026-01-01T00:00:00", "YEAR"),
        ("2026:11:00 00:00:00", "2026-11-01T00:00:00", "MONTH"),
        ("2026:00:00 00:00:00", "2026-01-01T00:00:00", "YEAR"),
        ("2026", "2026-01-01T00:00:00", "YEAR"),
        ("2026-11", "2026-11-01T00:00:00", "MONTH"),
        ("2026:11:21", "2026-11-21T00:00:00", "DAY"),
        ("20261121", "2026-11-21T00:00:00", "DAY"),
        ("2026-11-21T10:05", "2026-11-21T10:05:00", "MINUTE"),
        ("2026:11:21 10:05", "2026-11-21T10:05:00", "MINUTE"),
        ("2026:11:21 10:05:03.25", "2026-11-21T10:05:03.250000", "SECOND"),
        ("2026:11:21 10:05:03,123456789", "2026-11-21T10:05:03.123456", "SECOND"),
        ("2026:11:21 24:00:00", "2026-11-22T00:00:00", "SECOND"),
        ("2026:12:31 23:59:60", "2027-01-01T00:00:00", "SECOND"),
        ("2026-11-21T10:05:03Z", "2026-11-21T10:05:03+00:00", "SECOND"),
        ("2026-11-21T10:05:03.5-03:30", "2026-11-21T10:05:03.500000-03:30", "SECOND"),
        ("2026:11:21 10:05:03+02:00", "2026-11-21T10:05:03+02:00", "SECOND"),
        ("2026:11:21 10:05:03 +0200", "2026-11-21T10:05:03+02:00", "SECOND"),
        ("20261121 100503+0200", "2026-11-21T10:05:03+02:00", "SECOND"),
        ("20261121T100503", "2026-11-21T10:05:03", "SECOND"),
        ("2026/11/21 10:05:03", "2026-11-21T10:05:03", "SECOND"),
        ("2026.11.21 10.05.03", "2026-11-21T10:05:03", "SECOND"),
        ("2026:11:21 02:05:03 PM", "2026-11-21T14:05:03", "SECOND"),
        ("2026:11:21 12:05:03 am", "2026-11-21T00:05:03", "SECOND"),
        ("٢٠٢٦:١١:٢١ ١٠:٠٥:٠٣", "2026-11-21T10:05:03", "SECOND"),
        ("٢٠٢٦:١١:٢١ ١٠:٠٥:٠٣".encode().decode("latin-1"), "2026-11-21T10:05:03", "SECOND"),
        ("Sat, 21 Nov 2026 10:05:03 +0200", "2026-11-21T10:05:03+02:00", "SECOND"),
        ("Sat Nov 21 10:05:03 2026", "2026-11-21T10:05:03", "SECOND"),
    ],
)
def test_a_spelling_is_understood_as_far_as_it_goes(text: str, time: str, precision: str) -> None:
    assert read(text) == (time, precision)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "0001:01:01 00:00:00",
        "9999:12:31 23:59:59",
        "1601:01:01 00:00:00",
        "2026:13:01 00:00:00",
        "2026:02:30 00:00:00",
        "2026:02:28 24:00:01",
        "2026:02:28 25:00:00",
        "2026:02:28 10:61:00",
        "yesterday",
        "12:00:00",
        "-1",
        "20261",
        "202611211",
        "2026x11x21",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_moment(text) is None


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("+05:45", "+05:45"),
        ("Z", "+00:00"),
        ("+0200", "+02:00"),
        ("-3", "-03:00"),
        (" +2:00\0", "+02:00"),
        ("UTC", "+00:00"),
        ("+25:00", ""),
        ("+02:75", ""),
        ("CEST", ""),
        ("   :  ", ""),
        ("", ""),
        ("+15:00", ""),
    ],
)
def test_a_zone_beside_it_is_understood_or_not_there(zone: str, said: str) -> None:
    assert read("2026:11:21 10:05:03", zone) == (f"2026-11-21T10:05:03{said}", "SECOND")


def test_a_zone_in_the_text_goes_before_one_beside_it() -> None:
    assert read("2026:11:21 10:05:03+02:00", "-05:00") == ("2026-11-21T10:05:03+02:00", "SECOND")


@pytest.mark.parametrize(
    ("fraction", "said"),
    [
        ("5", ".500000"),
        ("0625", ".062500"),
        ("5  ", ".500000"),
        ("123456789012", ".123456"),
        ("   ", ""),
        ("x", ""),
        ("-5", ""),
        ("5\0\0", ".500000"),
        ("٥", ""),
    ],
)
def test_parts_of_a_second_are_read_as_far_as_they_are_digits(fraction: str, said: str) -> None:
    assert read("2026:11:21 10:05:03", "", fraction) == (f"2026-11-21T10:05:03{said}", "SECOND")


@given(st.text(max_size=60), st.text(max_size=8), st.text(max_size=8))
def test_no_text_raises(text: str, zone: str, fraction: str) -> None:
    read_moment(text, zone, fraction)
    read_zone(zone)


@given(
    st.datetimes(),
    st.sampled_from(["%Y:%m:%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y%m%d %H%M%S"]),
    st.text(max_size=3),
    st.data(),
)
def test_a_time_with_other_bytes_in_it_raises_nothing(time: object, form: str, noise: str, data: st.DataObject) -> None:
    text = format(time, form)
    place = data.draw(st.integers(0, len(text)))
    read_moment(text[:place] + noise + text[place + len(noise) :])
