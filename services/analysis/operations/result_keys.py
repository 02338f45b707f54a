"""Keys for the results of an analysis: without a purpose's key nothing is learnt for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.analysis.domain.media import Claim
from services.chassis.clock import Clock
from services.keyring import DataKey, Keyring, MediaErased, NewDataKey, Purpose, PurposeNotGranted

HOLD_SECONDS = 4.0
"""Keys older than this are not used any more; 5 seconds is the longest that one may be in memory."""
OWN_ARTEFACTS = 3
"""What is sealed for the media's own purpose: the record, the preview, the thumbnail."""


@dataclass(frozen=True)
class KeyRequest:
    """A claim, and the purposes to learn for."""

    claim: Claim
    purposes: frozenset[Purpose]


@dataclass(frozen=True)
class GrantedKeys:
    """What may be learnt of a media, with the keys to seal it.

    Attributes:
        claim: The claim on it.
        keys: For each purpose, a key for each artefact. Purposes without a grant are absent.
        made_at: When the keys were made, on the clock's monotonic seconds.
    """

    claim: Claim
    keys: dict[Purpose, tuple[DataKey, ...]]
    made_at: float

    @property
    def purposes(self) -> frozenset[Purpose]:
        """The purposes that there are keys for."""
        return frozenset(self.keys)

    def is_fresh(self, clock: Clock) -> bool:
        """Tells whether the keys may still be used."""
        return clock.monotonic() - self.made_at < HOLD_SECONDS


@dataclass(frozen=True)
class KeyResponse:
    """What the keyring answers to requests.

    Attributes:
        granted: What may be learnt.
        gone: Media that must not be analysed any more: erased, or kept for a purpose that was withdrawn.
    """

    granted: tuple[GrantedKeys, ...]
    gone: tuple[Claim, ...]


async def request_keys(
    subject: str, own: Purpose, requests: Sequence[KeyRequest], *, keyring: Keyring, clock: Clock
) -> KeyResponse:
    """Asks for the keys of everything that media of one person and purpose are to be analysed for.

    Args:
        subject: The person's pseudonym.
        own: What the media are kept for.
        requests: What to learn.
        keyring: Where keys come from.
        clock: The process's clock.

    Raises:
        DependencyUnavailable: the retention service does not answer.
    """
    made_at = clock.monotonic()
    purposes = (own, Purpose.LOCATION, Purpose.FACE_GROUPING)
    created = await asyncio.gather(*(_create(subject, purpose, requests, own, keyring) for purpose in purposes))
    gone = {claim.id: claim for _, erased in created for claim in erased}
    keys: dict[UUID, dict[Purpose, tuple[DataKey, ...]]] = {request.claim.id: {} for request in requests}
    for purpose, (made, _) in zip(purposes, created, strict=True):
        for claim_id, ready in made.items():
            keys[claim_id][purpose] = ready
    granted = (GrantedKeys(each.claim, keys[each.claim.id], made_at) for each in requests if each.claim.id not in gone)
    return KeyResponse(tuple(granted), tuple(gone.values()))


async def renew_keys(granted: GrantedKeys, *, keyring: Keyring, clock: Clock) -> GrantedKeys | None:
    """Asks again for keys that were in memory for too long; None if the media is gone."""
    stored = granted.claim.stored
    request = KeyRequest(granted.claim, granted.purposes)
    response = await request_keys(stored.subject, stored.purpose, [request], keyring=keyring, clock=clock)
    if not response.granted:
        return None
    keys = {purpose: made for purpose, made in response.granted[0].keys.items() if purpose in granted.keys}
    return replace(response.granted[0], keys=keys)


async def _create(
    subject: str, purpose: Purpose, requests: Sequence[KeyRequest], own: Purpose, keyring: Keyring
) -> tuple[dict[UUID, tuple[DataKey, ...]], list[Claim]]:
    """Create the keys of a purpose in one call; return them, and the claims that have lost their media."""
    artefacts = OWN_ARTEFACTS if purpose == own else 1
    claims = [request.claim for request in requests if purpose in request.purposes]
    erased: list[Claim] = []
    while eager := [claim for claim in claims if claim not in erased]:
        wanted = [_spec(claim) for claim in eager for _ in range(artefacts)]
        try:
            made = await keyring.create(subject=subject, purpose=purpose, keys=wanted)
        except PurposeNotGranted:
            return {}, claims if purpose == own else erased
        except MediaErased as error:
            named = [claim for claim in eager if claim.stored.name == error.metadata.get("media")]
            erased += named or eager
            continue
        portions = (tuple(made[start : start + artefacts]) for start in range(0, len(made), artefacts))
        return {claim.id: keys for claim, keys in zip(eager, portions, strict=True)}, erased
    return {}, erased


def _spec(claim: Claim) -> NewDataKey:
    return NewDataKey(claim.stored.delete_time, (claim.stored.name,))
