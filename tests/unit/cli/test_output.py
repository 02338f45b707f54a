"""Lines that scripts read."""

import json

import pytest

from services.cli.output import emit, printable


def test_a_row_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"file": printable("a\nb\udce9.jpg"), "title": "été"})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"file": "a\nb\\xe9.jpg", "title": "été"}
