"""Others' text in a line: it stays in its line, in its order, and every encoding can carry it."""

import json

import pytest

from services.cli.escaping import json_line, one_line, printable, several_lines

ESCAPE = "\x1b[2Jpwned"
HOSTILE = ["\x1b[2J", "\x07", "\r", "\x7f", "\x85", "\x9b31m", "\u2028", "\u2029", "\u202e", "\u2066"]


@pytest.mark.parametrize("text", [*HOSTILE, "\n", "\t"])
def test_control_characters_in_a_line_are_spelt_out(text: str) -> None:
    escaped = one_line(f"a{text}b")

    assert escaped.isprintable()
    assert "\\" in escaped


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_several_lines_keeps_its_line_ends_and_nothing_else(text: str) -> None:
    escaped = several_lines(f"été\n{text}")

    assert escaped.startswith("été\n\\")
    assert escaped.count("\n") == 1


@pytest.mark.parametrize("text", ["été", "写真 📷", "👩‍👧", "שלום", "a\\b", "naïve – “quote”"])
def test_letters_of_every_script_stay_as_they_are(text: str) -> None:
    assert one_line(text) == text
    assert several_lines(text) == text


def test_bytes_that_are_no_text_are_spelt_out() -> None:
    assert printable("caf\udce9.jpg") == "caf\\xe9.jpg"
    assert one_line("caf\udce9.jpg") == "caf\\xe9.jpg"


@pytest.mark.parametrize("text", [*HOSTILE, "\n", "été", "\\"])
def test_a_row_is_one_line_to_every_reader_and_means_the_same(text: str) -> None:
    line = json_line({"file": f"a{text}b"})

    assert line.splitlines() == [line]
    assert json.loads(line) == {"file": f"a{text}b"}


def test_a_row_with_bytes_that_are_no_text_can_be_written() -> None:
    line = json_line({"path": "caf\udce9"})

    assert json.loads(line.encode("utf-8")) == {"path": "caf\\xe9"}
