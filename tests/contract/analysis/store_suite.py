"""What the operations rely on in the tables, real or fake."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from services.analysis.domain.media import Claim, MediaState, MetadataUpdate, ParkedReason, PreviewSize, StoredMedia
from services.analysis.domain.model_set import ModelSet
from services.analysis.domain.rows import (
    RenewedRecord,
    SealedFindings,
    SealedResult,
    StaleRecord,
    StoredPreview,
    UpdateOutcome,
)
from services.analysis.ports import Library, MetadataTable, Purge, Work
from services.keyring import Purpose

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANN, BOB = "a" * 32, "b" * 32
MODELS = ModelSet(scene="vision-1", position="exif-1", templates="face-1")
OTHERS = replace(MODELS, scene="vision-2")
CLOUD, OLDER, LOCATION, FACES = (
    Purpose.CLOUD_PROCESSING,
    Purpose.OLDER_MEDIA,
    Purpose.LOCATION,
    Purpose.FACE_GROUPING,
)


class Tables(Work, MetadataTable, Library, Purge, Protocol):
    """All of them."""

    async def changes(self, subject: str) -> list[tuple[str, bool, int]]:
        """Return what the change feed names, in its order, whether it is gone, and the number of the change."""


def stored(subject: str = ANN, purpose: Purpose = CLOUD, *, revision: int = 5) -> StoredMedia:
    return StoredMedia(
        media=uuid4(),
        subject=subject,
        purpose=purpose,
        data_key_id=str(uuid4()),
        purpose_revision=revision,
        objects=("one", "two"),
        sealed_metadata=b"sealed",
        metadata_revision=1,
        delete_time=NOW + timedelta(days=20),
    )


def record(claim: Claim, purpose: Purpose, *, revision: int = 5, models: str = "") -> SealedFindings:
    made_by = models or MODELS.for_purpose(purpose)
    return SealedFindings(
        claim.stored.media, purpose, made_by, uuid4(), revision, b"record", claim.stored.metadata_revision
    )


def previews(claim: Claim, *, revision: int = 5) -> tuple[StoredPreview, ...]:
    sizes = PreviewSize.THUMBNAIL, PreviewSize.SCREEN
    return tuple(
        StoredPreview(claim.stored.media, size, claim.draft, 10 * index, 10, uuid4(), revision)
        for index, size in enumerate(sizes)
    )


def result(claim: Claim, *purposes: Purpose, parked: ParkedReason | None = None, revision: int = 5) -> SealedResult:
    records = tuple(record(claim, purpose, revision=revision) for purpose in purposes)
    return SealedResult(claim, parked, records, () if parked else previews(claim, revision=revision))


def key(media: StoredMedia) -> UUID:
    return UUID(media.data_key_id)


def again(media: StoredMedia, *, revision: int = 2) -> StoredMedia:
    """Return the same media as another file of it is announced."""
    return replace(media, data_key_id=str(uuid4()), objects=("three",), metadata_revision=revision)


def update(media: StoredMedia, *, revision: int = 2) -> MetadataUpdate:
    return MetadataUpdate(media.media, media.subject, media.data_key_id, b"changed", revision)


async def stale(tables: Tables) -> list[StaleRecord]:
    media = await tables.media_with_stale_records(10, frozenset())
    return await tables.stale_records([id_ for _, id_ in media])


async def renew(tables: Tables, row: StaleRecord, *, revision: int | None = None) -> None:
    renewed = RenewedRecord(row.media, row.record_key_id, b"renewed", revision or row.metadata_revision)
    await tables.commit_records([renewed])


async def claim_all(tables: Tables, now: datetime = NOW) -> list[Claim]:
    return await tables.claim(limit=100, now=now, until=now + MINUTE)


async def claim_renewals(tables: Tables, now: datetime = NOW, *, limit: int = 100) -> list[Claim]:
    return await tables.claim_renewals(limit=limit, now=now, until=now + MINUTE)


def replace_models(sealed: SealedResult, models: ModelSet) -> SealedResult:
    """Return the same result, made by other models."""
    found = tuple(replace(row, models=models.for_purpose(Purpose(row.purpose))) for row in sealed.findings)
    return replace(sealed, findings=found)


async def claimed(tables: Tables, media: StoredMedia | None = None) -> Claim:
    await tables.announce(media or stored(), NOW)
    (claim,) = await claim_all(tables)
    return claim


async def done(tables: Tables, *purposes: Purpose, media: StoredMedia | None = None) -> SealedResult:
    claim = await claimed(tables, media)
    sealed = result(claim, claim.stored.purpose, *purposes)
    assert (await tables.commit([sealed], NOW)).accepted == {claim.id}
    return sealed


async def counts(tables: Tables, subject: str = ANN) -> tuple[int, int, int]:
    progress = await tables.progress(subject)
    return tuple(progress.get(state, 0) for state in MediaState)  # type: ignore[return-value]


async def kept(tables: Tables, subject: str = ANN) -> set[str]:
    return {row.purpose for row in await tables.findings(subject)}


class StoreSuite:
    """Subclasses give `tables`, empty."""

    async def test_the_time_of_the_upload_is_known_until_the_media_is_analyzed(self, tables: Tables) -> None:
        media = replace(stored(), upload_time=NOW - MINUTE)
        claim = await claimed(tables, media)
        assert claim.stored.upload_time == NOW - MINUTE
        await tables.commit([result(claim, CLOUD)], NOW)
        await tables.announce(replace(again(media), upload_time=NOW), NOW)
        (renewal,) = await claim_renewals(tables)
        assert renewal.stored.upload_time is None

    async def test_a_media_is_announced_once(self, tables: Tables) -> None:
        media = stored()
        assert [await tables.announce(media, NOW) for _ in range(2)] == [True, False]
        (claim,) = await claim_all(tables)
        assert (claim.stored, claim.attempts, claim.faults, claim.made) == (media, 1, 0, {})

    async def test_a_claimed_media_is_not_claimed_again(self, tables: Tables) -> None:
        claim = await claimed(tables)
        assert await claim_all(tables) == []
        (again,) = await claim_all(tables, NOW + MINUTE)
        assert (again.id != claim.id, again.attempts, again.faults) == (True, 2, 1)
        assert again.draft != claim.draft

    async def test_media_are_at_work_while_any_is_claimed(self, tables: Tables) -> None:
        await tables.announce(stored(), NOW)
        assert not await tables.at_work(NOW)
        (claim,) = await claim_all(tables)
        assert await tables.at_work(NOW)
        assert not await tables.at_work(NOW + MINUTE)
        await tables.commit([result(claim, CLOUD)], NOW)
        assert not await tables.at_work(NOW)

    async def test_the_longest_due_come_first_and_no_more_than_asked_for(self, tables: Tables) -> None:
        media = [stored() for _ in range(5)]
        for number, each in enumerate(media):
            await tables.announce(each, NOW - number * MINUTE)
        claims = await tables.claim(limit=3, now=NOW, until=NOW + MINUTE)
        assert {claim.stored for claim in claims} == set(media[2:])

    async def test_what_is_given_up_is_due_later(self, tables: Tables) -> None:
        claim = await claimed(tables)
        await tables.release([claim], at=NOW + MINUTE, fault=True)
        assert await claim_all(tables) == []
        (again,) = await claim_all(tables, NOW + MINUTE)
        assert (again.attempts, again.faults) == (2, 1)

    async def test_a_result_is_stored_with_everything(self, tables: Tables) -> None:
        sealed = await done(tables, LOCATION)
        media = sealed.claim.stored.media
        assert await counts(tables) == (0, 1, 0)
        assert sorted(await tables.findings(ANN), key=str) == sorted(sealed.findings, key=str)
        assert await tables.own_findings([media]) == [sealed.findings[0]]
        found = [row for size in PreviewSize for row in await tables.stored_previews(ANN, [media], size)]
        assert found == list(sealed.previews)
        (status,) = await tables.statuses(ANN, [media])
        assert (status.state, status.analyze_time) == (MediaState.DONE, NOW)
        assert await claim_all(tables, NOW + MINUTE) == []

    async def test_a_parked_media_says_why_and_is_not_due(self, tables: Tables) -> None:
        claim = await claimed(tables)
        await tables.commit([result(claim, CLOUD, parked=ParkedReason.CORRUPT)], NOW)
        (status,) = await tables.statuses(ANN, [claim.stored.media])
        assert (status.state, status.parked_reason) == (MediaState.PARKED, ParkedReason.CORRUPT)
        assert await claim_all(tables, NOW + MINUTE) == []

    async def test_a_claim_that_was_lost_stores_nothing(self, tables: Tables) -> None:
        late = await claimed(tables)
        await claim_all(tables, NOW + MINUTE)
        assert (await tables.commit([result(late, CLOUD)], NOW)).accepted == set()
        assert await counts(tables) == (1, 0, 0)

    async def test_one_of_a_batch_that_is_refused_takes_no_other_along(self, tables: Tables) -> None:
        await tables.announce(stored(), NOW)
        await tables.announce(stored(BOB), NOW)
        first, second = await claim_all(tables)
        await tables.fence_purpose(first.stored.subject, LOCATION, 9)
        outcome = await tables.commit([result(first, CLOUD, LOCATION), result(second, CLOUD, LOCATION)], NOW)
        assert outcome.accepted == {second.id}

    async def test_drafts_of_lost_claims_are_named_for_deletion(self, tables: Tables) -> None:
        lost = await claimed(tables)
        (claim,) = await claim_all(tables, NOW + MINUTE)
        outcome = await tables.commit([result(claim, CLOUD)], NOW)
        assert outcome.replaced_objects == (lost.draft,)

    async def test_new_results_replace_old_ones(self, tables: Tables) -> None:
        old = await done(tables, FACES)
        assert await tables.renew_stale(OTHERS, NOW) == 1
        (claim,) = await claim_renewals(tables)
        assert (claim.made, claim.renews) == ({CLOUD: "vision-1", FACES: "face-1"}, True)
        outcome = await tables.commit([result(claim, CLOUD)], NOW)
        assert outcome.replaced_objects == (old.claim.draft,)
        replaced = {str(old.findings[0].data_key_id), *(str(row.data_key_id) for row in old.previews)}
        assert {subject: set(ids) for subject, ids in outcome.replaced_keys.items()} == {ANN: replaced}
        assert await kept(tables) == {CLOUD, FACES}
        assert await claim_renewals(tables, NOW + MINUTE) == []

    async def test_what_is_by_the_present_models_is_left_alone(self, tables: Tables) -> None:
        await done(tables, LOCATION, FACES)
        assert await tables.renew_stale(MODELS, NOW) == 0

    async def test_old_results_serve_until_they_are_replaced(self, tables: Tables) -> None:
        old = await done(tables, FACES)
        await tables.renew_stale(OTHERS, NOW)
        (claim,) = await claim_renewals(tables)
        assert (await counts(tables), await kept(tables)) == ((0, 1, 0), {CLOUD, FACES})
        media = [claim.stored.media]
        rows = [row for size in PreviewSize for row in await tables.stored_previews(ANN, media, size)]
        assert rows == list(old.previews)
        await tables.release([claim], at=NOW + MINUTE, fault=True)
        assert (await counts(tables), await kept(tables)) == ((0, 1, 0), {CLOUD, FACES})
        assert await claim_renewals(tables) == []
        (again,) = await claim_renewals(tables, NOW + MINUTE)
        assert (again.attempts, again.faults) == (2, 1)

    async def test_what_was_stored_last_is_renewed_first(self, tables: Tables) -> None:
        media = [stored() for _ in range(4)]
        for number, each in enumerate(media):
            await tables.announce(each, NOW - number * MINUTE)
        await tables.commit([result(claim, CLOUD) for claim in await claim_all(tables)], NOW)
        assert await tables.renew_stale(OTHERS, NOW) == 4
        order = [claim.stored for _ in range(4) for claim in await claim_renewals(tables, limit=1)]
        assert order == media

    async def test_what_is_renewed_is_no_fresh_work(self, tables: Tables) -> None:
        await done(tables)
        await tables.renew_stale(OTHERS, NOW)
        assert await claim_all(tables) == []
        await tables.announce(stored(), NOW)
        (fresh,) = await claim_all(tables)
        assert fresh.renews is False

    async def test_what_is_due_for_renewal_is_not_made_due_twice(self, tables: Tables) -> None:
        await done(tables)
        assert [await tables.renew_stale(OTHERS, NOW) for _ in range(2)] == [1, 0]
        (claim,) = await claim_renewals(tables)
        assert await tables.renew_stale(OTHERS, NOW + MINUTE) == 0
        await tables.commit([replace_models(result(claim, CLOUD), OTHERS)], NOW)
        assert await tables.renew_stale(OTHERS, NOW) == 0

    async def test_a_renewal_under_names_that_are_old_by_then_comes_again(self, tables: Tables) -> None:
        await done(tables)
        await tables.renew_stale(OTHERS, NOW)
        (claim,) = await claim_renewals(tables)
        await tables.commit([replace_models(result(claim, CLOUD), OTHERS)], NOW)
        assert await tables.renew_stale(replace(OTHERS, scene="vision-3"), NOW) == 1

    async def test_a_renewal_that_came_to_nothing_is_deferred_and_the_old_serves(self, tables: Tables) -> None:
        await done(tables)
        await tables.renew_stale(OTHERS, NOW)
        (claim,) = await claim_renewals(tables)
        await tables.release([claim], at=NOW, fault=True)
        (claim,) = await claim_renewals(tables)
        await tables.defer([claim], at=NOW + 60 * MINUTE)
        assert (await counts(tables), await claim_renewals(tables, NOW + MINUTE)) == ((0, 1, 0), [])
        (again,) = await claim_renewals(tables, NOW + 60 * MINUTE)
        assert (again.attempts, again.faults) == (1, 0)

    async def test_a_media_is_renewed_by_the_models_that_there_are_if_that_is_asked_for(self, tables: Tables) -> None:
        media = (await done(tables)).claim.stored.media
        assert not await tables.renew_media(BOB, media, NOW)
        assert await tables.renew_media(ANN, media, NOW)
        assert not await tables.renew_media(ANN, media, NOW)
        (claim,) = await claim_renewals(tables)
        assert (claim.made.get(CLOUD), claim.renews) == ("", True)

    async def test_a_purpose_granted_during_a_renewal_makes_it_due_again(self, tables: Tables) -> None:
        await done(tables)
        await tables.renew_stale(OTHERS, NOW)
        (claim,) = await claim_renewals(tables)
        assert await tables.want_purpose(ANN, LOCATION, NOW) == 1
        await tables.commit([replace_models(result(claim, CLOUD), OTHERS)], NOW)
        (again,) = await claim_all(tables)
        assert (again.made, again.renews) == ({CLOUD: "vision-2"}, False)

    async def test_findings_by_other_models_are_not_missing(self, tables: Tables) -> None:
        await done(tables, FACES)
        await tables.renew_stale(replace(MODELS, templates="face-2"), NOW)
        assert await tables.subjects_without(FACES, after="", limit=9) == []
        assert await tables.want_purpose(ANN, FACES, NOW) == 0
        assert len(await claim_renewals(tables)) == 1

    async def test_parked_media_get_another_chance_with_new_models(self, tables: Tables) -> None:
        claim = await claimed(tables)
        await tables.commit([result(claim, CLOUD, parked=ParkedReason.CORRUPT)], NOW)
        assert await tables.renew_stale(OTHERS, NOW) == 1
        assert await counts(tables) == (0, 0, 1)
        (again,) = await claim_renewals(tables)
        assert again.state is MediaState.PARKED
        await tables.commit([result(again, CLOUD)], NOW)
        assert await counts(tables) == (0, 1, 0)

    async def test_a_granted_purpose_makes_media_due_that_lack_it(self, tables: Tables) -> None:
        await done(tables)
        await done(tables, LOCATION)
        await done(tables, media=stored(BOB))
        assert await tables.want_purpose(ANN, LOCATION, NOW) == 1
        (claim,) = await claim_all(tables)
        assert (claim.made, claim.attempts) == ({CLOUD: "vision-1"}, 1)

    async def test_a_purpose_granted_during_the_work_makes_it_due_again(self, tables: Tables) -> None:
        claim = await claimed(tables)
        await tables.want_purpose(ANN, LOCATION, NOW)
        await tables.commit([result(claim, CLOUD)], NOW)
        assert await counts(tables) == (1, 0, 0)
        (again,) = await claim_all(tables)
        await tables.commit([result(again, LOCATION)], NOW)
        assert await counts(tables) == (0, 1, 0)

    async def test_parked_media_are_not_wanted(self, tables: Tables) -> None:
        claim = await claimed(tables)
        await tables.commit([result(claim, CLOUD, parked=ParkedReason.CORRUPT)], NOW)
        assert await tables.want_purpose(ANN, LOCATION, NOW) == 0

    async def test_persons_without_a_purpose_are_listed_in_portions(self, tables: Tables) -> None:
        for subject in (ANN, ANN, BOB, "c" * 32):
            await done(tables, media=stored(subject))
        await done(tables, LOCATION, media=stored("d" * 32))
        first = await tables.subjects_without(LOCATION, after="", limit=2)
        assert first == [ANN, BOB]
        assert await tables.subjects_without(LOCATION, after=BOB, limit=2) == ["c" * 32]

    async def test_a_person_reads_nothing_of_another(self, tables: Tables) -> None:
        media = (await done(tables)).claim.stored.media
        assert await tables.statuses(BOB, [media]) == []
        assert await tables.findings(BOB, [media]) == []
        assert await tables.stored_previews(BOB, [media], PreviewSize.SCREEN) == []
        assert (await tables.statuses(BOB), await tables.findings(BOB), await counts(tables, BOB)) == (
            [],
            [],
            (0, 0, 0),
        )

    @pytest.mark.parametrize("destroyed", ["original", "record", "preview"])
    async def test_a_destroyed_key_takes_its_media_along(self, tables: Tables, destroyed: str) -> None:
        sealed = await done(tables, LOCATION)
        await done(tables)
        claim = sealed.claim
        key = {
            "original": claim.stored.data_key_id,
            "record": str(sealed.findings[0].data_key_id),
            "preview": str(sealed.previews[1].data_key_id),
        }[destroyed]
        deletion, records = await tables.tombstone_keys(ANN, [key], NOW)
        assert (deletion.media, deletion.objects, deletion.previews, records) == (
            (claim.stored.media,), (claim.draft,), 2, 2,
        )  # fmt: skip
        assert await tables.delete_media(ANN, deletion) == 1
        assert await counts(tables) == (0, 1, 0)
        assert await tables.delete_media(ANN, deletion) == 0

    async def test_a_destroyed_key_of_an_extra_takes_the_extra_alone(self, tables: Tables) -> None:
        sealed = await done(tables, LOCATION)
        deletion, records = await tables.tombstone_keys(ANN, [str(sealed.findings[1].data_key_id)], NOW)
        assert (deletion.media, records) == ((), 1)
        assert await kept(tables) == {CLOUD}

    async def test_a_result_under_a_destroyed_key_is_refused(self, tables: Tables) -> None:
        sealed = result(await claimed(tables), CLOUD)
        await tables.tombstone_keys(ANN, [str(sealed.previews[0].data_key_id)], NOW)
        assert (await tables.commit([sealed], NOW)).accepted == set()

    async def test_a_media_of_which_the_key_was_destroyed_does_not_come_back(self, tables: Tables) -> None:
        media = stored()
        await tables.tombstone_keys(ANN, [media.data_key_id], NOW)
        assert not await tables.announce(media, NOW)
        assert await tables.forget_tombstones(NOW) == 0
        assert await tables.forget_tombstones(NOW + MINUTE) == 1
        assert await tables.announce(media, NOW)

    async def test_a_withdrawn_extra_goes_and_comes_in_no_more(self, tables: Tables) -> None:
        await done(tables, LOCATION)
        late = result(await claimed(tables), CLOUD, LOCATION)
        deletion, records = await tables.fence_purpose(ANN, LOCATION, 5)
        assert (deletion.media, records, await kept(tables)) == ((), 1, {CLOUD})
        assert (await tables.commit([late], NOW)).accepted == set()

    async def test_what_was_made_after_the_withdrawal_stays(self, tables: Tables) -> None:
        claim = await claimed(tables)
        new = SealedResult(claim, None, (record(claim, CLOUD), record(claim, LOCATION, revision=7)), ())
        assert (await tables.commit([new], NOW)).accepted == {claim.id}
        await tables.fence_purpose(ANN, LOCATION, 6)
        assert await kept(tables) == {CLOUD, LOCATION}

    async def test_a_withdrawn_purpose_takes_the_media_kept_for_it(self, tables: Tables) -> None:
        old = await done(tables, LOCATION, media=stored(purpose=OLDER))
        await done(tables, LOCATION)
        deletion, records = await tables.fence_purpose(ANN, OLDER, 5)
        assert (deletion.media, records) == ((old.claim.stored.media,), 2)
        assert not await tables.announce(stored(purpose=OLDER), NOW)
        assert await tables.announce(stored(purpose=OLDER, revision=6), NOW)

    async def test_media_that_wait_go_with_their_drafts(self, tables: Tables) -> None:
        claim = await claimed(tables)
        deletion, _ = await tables.fence_purpose(ANN, CLOUD, 5)
        assert (deletion.media, deletion.objects) == ((claim.stored.media,), (claim.draft,))
        await tables.delete_media(ANN, deletion)
        assert (await tables.commit([result(claim, CLOUD)], NOW)).accepted == set()

    async def test_an_erased_person_takes_everything_but_what_came_later(self, tables: Tables) -> None:
        await done(tables, LOCATION, FACES)
        await done(tables, media=stored(BOB))
        claim = await claimed(tables, stored(revision=8))
        await tables.commit([result(claim, CLOUD, revision=8)], NOW)
        deletion, records = await tables.fence_subject(ANN, 7, [CLOUD, LOCATION, FACES])
        assert (len(deletion.media), deletion.previews, records) == (1, 2, 3)
        await tables.delete_media(ANN, deletion)
        assert (await counts(tables), await counts(tables, BOB)) == ((0, 1, 0), (0, 1, 0))
        assert not await tables.announce(stored(revision=7), NOW)

    async def test_a_fence_never_falls(self, tables: Tables) -> None:
        await tables.fence_purpose(ANN, CLOUD, 7)
        await tables.fence_purpose(ANN, CLOUD, 3)
        assert not await tables.announce(stored(revision=6), NOW)

    async def test_media_past_their_time_are_listed_with_their_persons(self, tables: Tables) -> None:
        media = [replace(stored(), delete_time=NOW + number * MINUTE) for number in (2, 0, 1)]
        for each in media:
            await tables.announce(each, NOW)
        assert await tables.expired(NOW + MINUTE, 10) == [(ANN, key(media[1])), (ANN, key(media[2]))]
        assert await tables.expired(NOW + MINUTE, 1) == [(ANN, key(media[1]))]

    async def test_only_the_owners_media_are_deleted(self, tables: Tables) -> None:
        media = (await done(tables)).claim.stored
        assert (await tables.deletion_set(BOB, [key(media)])).media == ()
        deletion = await tables.deletion_set(ANN, [key(media), UUID(int=1)])
        assert deletion.media == (media.media,)
        assert await tables.delete_media(BOB, deletion) == 0

    async def test_a_media_that_is_stored_again_is_renewed_from_the_other_file(self, tables: Tables) -> None:
        media = (await done(tables, LOCATION)).claim.stored
        other = again(media)
        assert await tables.announce(other, NOW)
        assert (await counts(tables), await claim_all(tables)) == ((0, 1, 0), [])
        (claim,) = await claim_renewals(tables)
        assert (claim.stored, set(claim.made.values()), claim.renews) == (other, {""}, True)

    @pytest.mark.parametrize("revision", [0, 1])
    async def test_an_announcement_that_comes_late_replaces_nothing(self, tables: Tables, revision: int) -> None:
        media = stored()
        await tables.announce(again(media), NOW)
        assert not await tables.announce(replace(media, metadata_revision=revision), NOW)

    async def test_a_parked_media_that_is_stored_again_is_due(self, tables: Tables) -> None:
        claim = await claimed(tables)
        await tables.commit([result(claim, CLOUD, parked=ParkedReason.CORRUPT)], NOW)
        assert await tables.announce(again(claim.stored), NOW)
        assert (await counts(tables), len(await claim_all(tables))) == ((1, 0, 0), 1)

    async def test_what_is_made_of_a_file_that_was_replaced_is_not_stored(self, tables: Tables) -> None:
        claim = await claimed(tables)
        await tables.announce(again(claim.stored), NOW)
        assert (await tables.commit([result(claim, CLOUD)], NOW)).accepted == set()
        assert len(await claim_all(tables)) == 1

    async def test_a_purge_of_a_file_that_was_replaced_leaves_the_media(self, tables: Tables) -> None:
        media = (await done(tables)).claim.stored
        deletion, _ = await tables.tombstone_keys(ANN, [media.data_key_id], NOW)
        await tables.announce(again(media), NOW)
        assert await tables.delete_media(ANN, deletion) == 0
        assert (await counts(tables), len(await claim_all(tables))) == ((1, 0, 0), 1)

    async def test_newer_metadata_belongs_into_the_record(self, tables: Tables) -> None:
        sealed = await done(tables, LOCATION)
        media = sealed.claim.stored
        assert await stale(tables) == []
        assert await tables.update_metadata(update(media)) is UpdateOutcome.UPDATED
        (row,) = await stale(tables)
        assert row == StaleRecord(
            media.media, ANN, CLOUD, key(media), b"changed", 2, sealed.findings[0].data_key_id, b"record"
        )
        assert await tables.stale_records([media.media]) == [row]
        assert await tables.stale_records([uuid4()]) == []
        assert await tables.media_with_stale_records(10, {str(media.media)}) == []
        await renew(tables, row)
        assert await stale(tables) == []
        assert {record.sealed for record in await tables.findings(ANN)} == {b"renewed", b"record"}

    @pytest.mark.parametrize("revision", [1, 2])
    async def test_older_metadata_changes_nothing(self, tables: Tables, revision: int) -> None:
        media = (await done(tables)).claim.stored
        await tables.update_metadata(update(media))
        assert await tables.update_metadata(update(media, revision=revision)) is UpdateOutcome.KNOWN

    async def test_metadata_of_a_media_or_a_file_that_is_not_there_is_unknown(self, tables: Tables) -> None:
        media = (await done(tables)).claim.stored
        for unknown in (stored(), again(media), replace(media, subject=BOB)):
            assert await tables.update_metadata(update(unknown)) is UpdateOutcome.UNKNOWN

    async def test_a_record_that_is_newer_or_sealed_anew_stays(self, tables: Tables) -> None:
        media = (await done(tables)).claim.stored
        await tables.update_metadata(update(media))
        (row,) = await stale(tables)
        await renew(tables, row, revision=1)
        await tables.commit_records([RenewedRecord(media.media, uuid4(), b"renewed", 2)])
        assert [record.sealed for record in await tables.findings(ANN)] == [b"record"]

    async def test_a_result_made_before_its_owner_changed_the_media_says_so(self, tables: Tables) -> None:
        claim, other = await claimed(tables), await claimed(tables)
        await tables.update_metadata(update(claim.stored))
        outcome = await tables.commit([result(claim, CLOUD), result(other, CLOUD)], NOW)
        assert outcome.outdated == (claim.stored.media,)
        assert [row.media for row in await stale(tables)] == [claim.stored.media]

    async def test_what_an_owner_sees_change_is_told(self, tables: Tables) -> None:
        media = stored()
        name, seen = f"{media.name}/analysis", []

        async def told() -> bool:
            changes = await tables.changes(ANN)
            seen.append(changes[-1][2])
            return changes[-1][:2] == (name, False) and len(set(seen)) == len(seen)

        claim = await claimed(tables, media)
        assert await told()
        await tables.commit([result(claim, CLOUD, LOCATION)], NOW)
        assert await told()
        await tables.update_metadata(update(media))
        (row,) = await stale(tables)
        await renew(tables, row)
        assert await told()
        await tables.want_purpose(ANN, FACES, NOW)
        assert await told()
        await tables.fence_purpose(ANN, LOCATION, 5)
        assert await told()
        await tables.announce(again(media, revision=3), NOW)
        assert await told()

    async def test_what_an_owner_sees_nothing_of_is_not_told(self, tables: Tables) -> None:
        await done(tables)
        before = await tables.changes(ANN)
        await tables.renew_stale(OTHERS, NOW)
        (claim,) = await claim_renewals(tables)
        await tables.release([claim], at=NOW, fault=False)
        await tables.fence_purpose(ANN, LOCATION, 5)
        assert await tables.changes(ANN) == before

    async def test_media_that_are_deleted_are_told_as_gone(self, tables: Tables) -> None:
        media = (await done(tables)).claim.stored
        deletion, _ = await tables.fence_subject(ANN, 5, [CLOUD])
        await tables.delete_media(ANN, deletion)
        ((name, gone, _),) = await tables.changes(ANN)
        assert (name, gone) == (f"{media.name}/analysis", True)
        await tables.forget_person(ANN, NOW)
        assert await tables.changes(ANN) == []
