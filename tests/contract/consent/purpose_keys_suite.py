"""What consent relies on when it creates and destroys keys of purposes; run against the fake and against retention."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from services.keyring.errors import GrantStale
from services.keyring.purpose_keys import PurposeKeys


class PurposeKeysSuite:
    """Collected through its subclasses, each of which brings `keys`."""

    @pytest.fixture
    def ada(self) -> str:
        return secrets.token_hex(16)

    async def _grant(self, keys: PurposeKeys, subject: str, revision: int, purpose: str = "CLOUD_PROCESSING") -> int:
        now = datetime.now(UTC)
        return await keys.grant(
            subject=subject,
            purpose=purpose,
            revision=revision,
            expire_time=now + timedelta(days=365),
            decide_time=now,
        )

    async def test_a_grant_can_be_prolonged(self, keys: PurposeKeys, ada: str) -> None:
        await self._grant(keys, ada, 1)
        await self._grant(keys, ada, 2)

    async def test_a_grant_can_be_repeated(self, keys: PurposeKeys, ada: str) -> None:
        assert await self._grant(keys, ada, 1) == await self._grant(keys, ada, 1)

    async def test_a_grant_of_an_older_revision_is_stale_and_says_which_one_holds(
        self, keys: PurposeKeys, ada: str
    ) -> None:
        await self._grant(keys, ada, 5)

        with pytest.raises(GrantStale) as refused:
            await self._grant(keys, ada, 4)

        assert refused.value.metadata["current"] == "5"

    async def test_a_grant_that_comes_in_behind_its_own_withdrawal_is_stale(self, keys: PurposeKeys, ada: str) -> None:
        await keys.destroy(subject=ada, purposes=["CLOUD_PROCESSING"], revision=3)

        with pytest.raises(GrantStale) as refused:
            await self._grant(keys, ada, 3)

        assert refused.value.metadata["current"] == "3"

    async def test_destroying_what_does_not_exist_is_no_error(self, keys: PurposeKeys, ada: str) -> None:
        for _ in range(2):
            await keys.destroy(subject=ada, purposes=["LOCATION", "FACE_GROUPING"], revision=1)

    async def test_revisions_of_one_purpose_say_nothing_about_another(self, keys: PurposeKeys, ada: str) -> None:
        await self._grant(keys, ada, 9)

        await self._grant(keys, ada, 1, "LOCATION")

    async def test_a_withdrawal_leaves_a_later_grant_and_says_how_far_decisions_have_come(
        self, keys: PurposeKeys, ada: str
    ) -> None:
        await self._grant(keys, ada, 7)

        for revision, known in ((2, 7), (8, 8)):
            assert await keys.destroy(subject=ada, purposes=["CLOUD_PROCESSING"], revision=revision) == known
            assert await keys.lives(subject=ada, purpose="CLOUD_PROCESSING") is (revision < 7)

    async def test_a_late_grant_that_was_withdrawn_by_a_higher_revision_is_stale(
        self, keys: PurposeKeys, ada: str
    ) -> None:
        await self._grant(keys, ada, 7)
        await keys.destroy(subject=ada, purposes=["CLOUD_PROCESSING"], revision=8)

        with pytest.raises(GrantStale):
            await self._grant(keys, ada, 7)
