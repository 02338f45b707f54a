import pytest

from services.keyring.cache import LEASE_SECONDS, KeyCache, Revocation
from tests.fakes.clock import FakeClock

ADA = "a" * 32
BEN = "b" * 32
CLOUD = "CLOUD_PROCESSING"
LOCATION = "LOCATION"
KEYS = {"one": b"1" * 32, "two": b"2" * 32}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> KeyCache:
    cache = KeyCache(clock)
    cache.renew(clock.monotonic() + LEASE_SECONDS)
    return cache


def put(cache: KeyCache, subject: str = ADA, purpose: str = CLOUD) -> None:
    with cache.opening(subject, purpose) as opening:
        cache.put(opening, KEYS)


def held(cache: KeyCache, subject: str = ADA, purpose: str = CLOUD) -> dict[str, bytes]:
    return cache.get(subject, purpose, ["one", "two", "three"])


class TestHolding:
    def test_what_was_put_is_held(self, cache: KeyCache) -> None:
        put(cache)
        assert held(cache) == KEYS

    def test_keys_of_others_are_not_given(self, cache: KeyCache) -> None:
        put(cache)
        assert held(cache, BEN) == held(cache, ADA, LOCATION) == {}

    async def test_keys_are_held_for_five_seconds_from_when_they_were_asked_for(
        self, cache: KeyCache, clock: FakeClock
    ) -> None:
        with cache.opening(ADA, CLOUD) as opening:
            await clock.advance(2)
            cache.renew(clock.monotonic() + LEASE_SECONDS)
            cache.put(opening, KEYS)
        await clock.advance(2.8)
        cache.renew(clock.monotonic() + LEASE_SECONDS)
        assert held(cache) == KEYS
        await clock.advance(0.2)
        assert held(cache) == {}

    async def test_keys_over_their_time_are_let_go(self, cache: KeyCache, clock: FakeClock) -> None:
        put(cache)
        for _ in range(5):
            await clock.advance(1)
            cache.renew(clock.monotonic() + LEASE_SECONDS)
        cache.tidy()
        assert len(cache) == 0


class TestLeases:
    def test_without_a_lease_nothing_is_held(self, clock: FakeClock) -> None:
        cache = KeyCache(clock)
        put(cache)
        assert len(cache) == 0

    async def test_the_end_of_the_lease_drops_everything(self, cache: KeyCache, clock: FakeClock) -> None:
        put(cache)
        await clock.advance(LEASE_SECONDS)
        assert held(cache) == {}
        assert len(cache) == 0

    async def test_keys_that_nobody_asks_for_go_with_the_lease_as_well(self, cache: KeyCache, clock: FakeClock) -> None:
        put(cache)
        await clock.advance(LEASE_SECONDS)
        cache.tidy()
        assert len(cache) == 0

    def test_a_lost_stream_drops_everything(self, cache: KeyCache) -> None:
        put(cache)
        cache.drop_all()
        assert len(cache) == 0

    async def test_what_was_held_under_a_lease_that_ended_does_not_come_back(
        self, cache: KeyCache, clock: FakeClock
    ) -> None:
        put(cache)
        await clock.advance(LEASE_SECONDS)
        cache.renew(clock.monotonic() + LEASE_SECONDS)
        assert held(cache) == {}

    def test_an_answer_that_was_asked_for_before_a_lease_is_not_held_under_it(
        self, cache: KeyCache, clock: FakeClock
    ) -> None:
        with cache.opening(ADA, CLOUD) as opening:
            cache.drop_all()
            cache.renew(clock.monotonic() + LEASE_SECONDS)
            cache.put(opening, KEYS)
        assert len(cache) == 0

    async def test_a_late_answer_about_an_old_renewal_shortens_nothing(self, cache: KeyCache, clock: FakeClock) -> None:
        put(cache)
        cache.renew(clock.monotonic() + 1)
        await clock.advance(2)
        assert held(cache) == KEYS


class TestRevocations:
    @pytest.mark.parametrize(
        ("revocation", "kept"),
        [
            (Revocation(ADA, purposes=frozenset({CLOUD})), {}),
            (Revocation(ADA, subject_erased=True), {}),
            (Revocation(ADA, data_key_ids=frozenset({"one"})), {"two": KEYS["two"]}),
            (Revocation(ADA, purposes=frozenset({LOCATION})), KEYS),
            (Revocation(BEN, subject_erased=True), KEYS),
        ],
    )
    def test_what_is_destroyed_is_dropped_and_nothing_else(
        self, cache: KeyCache, revocation: Revocation, kept: dict[str, bytes]
    ) -> None:
        put(cache)
        cache.revoke(revocation)
        assert held(cache) == kept

    def test_an_answer_on_its_way_is_void_if_its_purpose_is_destroyed(self, cache: KeyCache) -> None:
        with cache.opening(ADA, CLOUD) as opening:
            cache.revoke(Revocation(ADA, purposes=frozenset({CLOUD})))
        assert opening.void

    def test_an_answer_on_its_way_loses_the_keys_that_are_destroyed(self, cache: KeyCache) -> None:
        with cache.opening(ADA, CLOUD) as opening:
            cache.revoke(Revocation(ADA, data_key_ids=frozenset({"one"})))
        assert (opening.void, opening.lost_ids) == (False, {"one"})

    def test_an_answer_about_another_person_is_not_touched(self, cache: KeyCache) -> None:
        with cache.opening(ADA, CLOUD) as opening:
            cache.revoke(Revocation(BEN, subject_erased=True))
        assert not opening.void
