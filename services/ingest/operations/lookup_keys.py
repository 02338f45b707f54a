"""Lookup key of a person: what makes tags of hashes, so that a hash is found again and never stands in clear.

The key itself lives as long as the person goes on uploading, so that one tag per hash suffices. It is kept sealed
under a data key of CLOUD_PROCESSING, which dies like every other: so the seal is renewed while it is in use, and with
the consent, the erasure or the last media's time the lookup key is gone, and with it the meaning of every tag.
"""

import os
from datetime import timedelta
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.chassis.seal import open_bytes, seal_bytes
from services.ingest.domain.records import LookupKeyRow
from services.ingest.domain.seals import lookup_key_aad
from services.ingest.operations.background import BackgroundWork
from services.ingest.ports import LookupKeyTable
from services.keyring import Keyring, NewDataKey, Purpose

RENEW_AFTER = timedelta(days=1)
"""A seal older than this is renewed, so that the key outlives every media but those of a day."""
_KEY_BYTES = 32
_ATTEMPTS = 5
_REMEMBERED = 10_000


class LookupKeys:
    """Opens lookup keys, makes them, renews their seals."""

    def __init__(
        self, table: LookupKeyTable, keyring: Keyring, clock: Clock, lifetime: timedelta, background: BackgroundWork
    ) -> None:
        """Begins.

        Args:
            table: Where they are kept, sealed.
            keyring: Has the keys of their seals.
            clock: Says how old a seal is.
            lifetime: Of a seal; at least that of a media.
            background: Destroys the keys of seals that are of no use.
        """
        self._table = table
        self._keyring = keyring
        self._clock = clock
        self._lifetime = lifetime
        self._background = background
        self._remembered: dict[str, LookupKeyRow] = {}
        """Sealed, as in the table; one that was replaced does not open and is read again."""

    async def open(self, subject: str) -> bytes:
        """Return a person's lookup key in clear, a new one if there is none that opens.

        Raises:
            PurposeNotGranted: CLOUD_PROCESSING is not granted.
        """
        remembered = self._remembered.get(subject)
        if remembered is not None and not self._is_due(remembered):
            key = await self._open(remembered)
            if key is not None:
                return key
        return await self._find(subject)

    async def _find(self, subject: str) -> bytes:
        for _ in range(_ATTEMPTS):
            row = await self._table.find(subject)
            key = None if row is None else await self._open(row)
            if key is not None and row is not None and not self._is_due(row):
                self._remember(row)
                return key
            key = await self._seal(subject, key or os.urandom(_KEY_BYTES), replaces=row)
            if key is not None:
                return key
        raise DependencyUnavailable("the person's lookup key changes too fast: call again")

    async def _open(self, row: LookupKeyRow) -> bytes | None:
        id_ = str(row.data_key_id)
        keys = await self._keyring.open(subject=row.subject, purpose=Purpose.CLOUD_PROCESSING, ids=[id_])
        return open_bytes(keys[id_], row.sealed_key, lookup_key_aad(row.data_key_id)) if id_ in keys else None

    async def _seal(self, subject: str, key: bytes, *, replaces: LookupKeyRow | None) -> bytes | None:
        """Seals `key` under a new data key; returns None if another call was faster."""
        new = NewDataKey(delete_by=self._clock.now() + self._lifetime)
        [seal] = await self._keyring.create(subject=subject, purpose=Purpose.CLOUD_PROCESSING, keys=[new])
        row = LookupKeyRow(
            subject=subject,
            data_key_id=UUID(seal.id),
            purpose_revision=seal.purpose_revision,
            sealed_key=seal_bytes(seal.key, key, lookup_key_aad(UUID(seal.id))),
            seal_time=self._clock.now(),
        )
        stored = await self._put(row, replaces)
        useless = seal.id if not stored else None if replaces is None else str(replaces.data_key_id)
        if useless is not None:
            await self._background.run(self._destroy(subject, useless))
        if not stored:
            return None
        self._remember(row)
        return key

    async def _put(self, row: LookupKeyRow, replaces: LookupKeyRow | None) -> bool:
        try:
            return await self._table.put(row, replaces=None if replaces is None else replaces.data_key_id)
        except BaseException:  # it may be stored: the store is asked before anything is destroyed
            if replaces is not None:
                self._background.start(self._destroy_replaced(row, replaces))
            raise

    async def _destroy_replaced(self, row: LookupKeyRow, replaced: LookupKeyRow) -> None:
        found = await self._table.find(row.subject)
        if found is not None and found.data_key_id == row.data_key_id:
            await self._destroy(row.subject, str(replaced.data_key_id))

    async def _destroy(self, subject: str, key_id: str) -> None:
        await self._keyring.destroy(subject=subject, ids=[key_id])

    def _remember(self, row: LookupKeyRow) -> None:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[row.subject] = row

    def _is_due(self, row: LookupKeyRow) -> bool:
        return self._clock.now() - row.seal_time >= RENEW_AFTER
