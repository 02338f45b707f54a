"""A roll becomes ideas through the cluster's own addresses, and a withdrawal ends what was allowed."""

from collections.abc import Mapping

import pytest

from tests.cluster.harness.phone import Phone, Row
from tests.cluster.harness.programs import ProgramFailed
from tests.cluster.harness.times import Times


@pytest.fixture(scope="module")
def answers(installed: object, ada: Phone, times: Times) -> Mapping[str, Row]:
    with times.step("bring a roll of photos in, until its ideas are there"):
        return ada.bring_in("/tmp/roll")


def test_every_file_is_stored(answers: Mapping[str, Row]) -> None:
    assert {row["outcome"] for row in answers.values()} == {"stored"}


def test_every_photo_is_understood(ada: Phone, answers: Mapping[str, Row]) -> None:
    findings = {str(row["file"]): row for row in ada.rows("findings")}

    assert set(findings) == set(answers)
    assert {row["state"] for row in findings.values()} == {"done"}


def test_ideas_become_pictures(ada: Phone, answers: Mapping[str, Row]) -> None:
    ideas = ada.rows("ideas", "--save", "/tmp/ideas")
    files = [rendition["file"] for idea in ideas for rendition in idea["renditions"]]

    assert "COLLAGE" in {idea["kind"] for idea in ideas}
    sizes = ada.place.run_in(ada.pod, "sh", "-c", "cd /tmp/ideas && wc -c " + " ".join(files))
    assert all(int(line.split()[0]) > 10_000 for line in sizes.splitlines())


def test_a_withdrawal_ends_it(ada: Phone, answers: Mapping[str, Row], times: Times) -> None:
    with times.step("withdraw"):
        ada.run("withdraw", "CLOUD_PROCESSING")

    with pytest.raises(ProgramFailed, match="PURPOSE_NOT_GRANTED"):
        ada.rows("ideas")
