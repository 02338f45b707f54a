from pathlib import Path

import pytest

from services.journal import JournalObjects
from services.journal.directory import JournalDirectory
from tests.contract.journal.objects_suite import JournalObjectsSuite
from tests.fakes.journal import FakeJournalObjects


class TestFake(JournalObjectsSuite):
    @pytest.fixture
    def objects(self) -> JournalObjects:
        return FakeJournalObjects()


class TestDirectory(JournalObjectsSuite):
    @pytest.fixture
    def objects(self, tmp_path: Path) -> JournalObjects:
        return JournalDirectory(tmp_path / "journal")

    async def test_a_write_that_was_cut_off_leaves_no_object(self, tmp_path: Path) -> None:
        directory = tmp_path / "journal"
        directory.mkdir()
        (directory / ".new-1").write_bytes(b'{"entr')
        assert await JournalDirectory(directory).newest() is None
