import pytest

from services.keyring.purpose_keys import PurposeKeys, RetentionPurposeKeys
from tests.contract.consent.purpose_keys_suite import PurposeKeysSuite
from tests.integration.consent.harness import RunningConsent


class TestRetentionPurposeKeys(PurposeKeysSuite):
    @pytest.fixture
    def keys(self, consent: RunningConsent) -> PurposeKeys:
        return RetentionPurposeKeys(consent.retention)
