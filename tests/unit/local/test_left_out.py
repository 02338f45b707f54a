"""What was left out of a run is said with its reasons and their counts, over all its parts."""

from pathlib import Path

from deploy.left_out import described, reasons

_CASE = '<testcase name="{name}">{what}</testcase>'
_SKIPPED = '<skipped type="pytest.skip" message="{reason}">tests/test_x.py:3: {reason}</skipped>'


def _report(file: Path, *cases: str) -> Path:
    content = "".join(_CASE.format(name=number, what=what) for number, what in enumerate(cases))
    file.write_text(f"<testsuites><testsuite>{content}</testsuite></testsuites>", encoding="utf-8")
    return file


def test_every_reason_is_counted_over_all_parts_of_a_run(tmp_path: Path) -> None:
    minio, go = _SKIPPED.format(reason="MinIO is not built here"), _SKIPPED.format(reason="no Go")
    reports = [_report(tmp_path / "fast.xml", "", go, minio), _report(tmp_path / "alone.xml", minio, "")]

    assert described(reasons(reports)).splitlines() == [
        "left out: 3 tests",
        "     2  MinIO is not built here",
        "     1  no Go",
    ]


def test_a_run_that_left_nothing_out_says_so(tmp_path: Path) -> None:
    assert described(reasons([_report(tmp_path / "fast.xml", "", "")])) == "left out: no test"
