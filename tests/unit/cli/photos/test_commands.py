"""What an import says at its end."""

import pytest

from services.cli.exit_status import ExitStatus
from services.cli.output import CommandFailed
from services.cli.photos.commands import sum_up
from services.cli.photos.upload_file import FileResult

STORED = FileResult("a.jpg", "stored", "IN_WINDOW")
REFUSED = FileResult("b\x1b.jpg", "refused", "TYPE_UNSUPPORTED")
LOST = FileResult("c.jpg", "unanswered", "STACK_UNREACHABLE", "a service does not answer", answered=False)


def test_refused_files_are_summed_up_and_are_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    sum_up([STORED, REFUSED, STORED], as_json=False)

    printed = capsys.readouterr()
    assert printed.out == "1 refused, 2 stored\n"
    assert printed.err.startswith("1 refused: ")


def test_a_script_gets_no_sum_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    sum_up([STORED, REFUSED], as_json=True)

    assert capsys.readouterr().out == ""


def test_files_without_an_answer_fail_the_import_and_say_how_to_go_on() -> None:
    with pytest.raises(CommandFailed, match=r"1 of 3 files .*STACK_UNREACHABLE.*run the command again") as caught:
        sum_up([STORED, REFUSED, LOST], as_json=True)

    assert (caught.value.reason, caught.value.field) == ("IMPORT_INCOMPLETE", "c.jpg")
    assert caught.value.status is ExitStatus.OUTAGE
