import pytest

from services.keyring.purpose_keys import PurposeKeys
from tests.contract.consent.purpose_keys_suite import PurposeKeysSuite
from tests.fakes.consent import FakePurposeKeys


class TestFakePurposeKeys(PurposeKeysSuite):
    @pytest.fixture
    def keys(self) -> PurposeKeys:
        return FakePurposeKeys()
