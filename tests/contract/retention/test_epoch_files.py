from pathlib import Path

import pytest

from services.retention.epochs.epoch_files import EpochFiles
from services.retention.ports import EpochKeys
from tests.contract.retention.epoch_keys_suite import EpochKeysSuite

ROOT_KEY = b"r" * 32


class TestEpochFiles(EpochKeysSuite):
    @pytest.fixture
    def keys(self, tmp_path: Path) -> EpochKeys:
        return EpochFiles(tmp_path / "epochs", ROOT_KEY)

    @pytest.fixture
    def others(self, tmp_path: Path) -> EpochKeys:
        return EpochFiles(tmp_path / "epochs", ROOT_KEY)
