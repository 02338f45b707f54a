"""Renewal: what was read of files is in use until what lies there now is whole, good and fits."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from services.chassis.certificates.files import (
    Authorities,
    CertificateRefused,
    Identity,
    check_authorities,
    check_identity,
    read_authorities,
    read_identity,
)
from services.chassis.clock import Clock
from services.chassis.settings import TlsSettings

LOOK_SECONDS = 5.0
"""How often the files are read."""

FoundT = TypeVar("FoundT", Authorities, Identity)

_log = structlog.stdlib.get_logger()


class Renewed(Generic[FoundT]):
    """Certificates that others may take the place of.

    Attributes:
        current: Those in use.
    """

    def __init__(
        self, read: Callable[[], FoundT], check: Callable[[datetime, FoundT, FoundT], None], clock: Clock
    ) -> None:
        """Read them for the first time; whether they are good by now, those who are shown them will say.

        Args:
            read: Reads the files.
            check: Refuses what may not take the place of what is in use.
            clock: Says what is over.

        Raises:
            CertificateRefused: they cannot be used.
        """
        self._read: Callable[[], FoundT] = read
        self._check: Callable[[datetime, FoundT, FoundT], None] = check
        self._clock = clock
        self._heed: set[Callable[[], None]] = set()
        self._seen_refused = self._told_refused = ""
        self.current: FoundT = read()

    def subscribe(self, heed: Callable[[], None]) -> Callable[[], None]:
        """Have something called after each renewal, and return what ends that."""
        self._heed.add(heed)
        return partial(self._heed.discard, heed)

    async def look(self) -> None:
        """Read the files again, and take what is there if it is another and may be used."""
        try:
            found = await asyncio.to_thread(self._read)
            if found != self.current:
                self._check(self._clock.now(), self.current, found)
                self._renew(found)
        except CertificateRefused as refused:
            self._refuse(refused)
        else:
            self._seen_refused = self._told_refused = ""

    def _renew(self, found: FoundT) -> None:
        self.current = found
        seconds = (found.expire_time - self._clock.now()).total_seconds()
        _log.info("certificate_renewed", certificate_file=str(found.file), seconds=round(seconds))
        for heed in tuple(self._heed):
            heed()

    def _refuse(self, refused: CertificateRefused) -> None:
        """Tell of what is refused twice in a row, once: files that are changed one after the other fit in a moment."""
        why = str(refused)
        if why == self._seen_refused and why != self._told_refused:
            self._told_refused = why
            _log.error("certificate_refused", certificate_file=str(refused.file), reason=refused.reason)
        self._seen_refused = why


class Certificates:
    """Certificates of a process. `run` is a task of it.

    Attributes:
        clock: Of the process.
        own: What it shows of itself to others, and whom it trusts.
    """

    def __init__(self, settings: TlsSettings, clock: Clock) -> None:
        self.clock = clock
        self.own: Renewed[Identity] = Renewed(partial(read_identity, settings), check_identity, clock)
        self._authorities: dict[Path, Renewed[Authorities]] = {}

    def authorities(self, file: Path) -> Renewed[Authorities]:
        """Return the authorities of a file, such as those of the bus; they are looked at from now on.

        Raises:
            CertificateRefused: it cannot be used.
        """
        if file not in self._authorities:
            self._authorities[file] = Renewed(partial(read_authorities, file), check_authorities, self.clock)
        return self._authorities[file]

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await self.clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once."""
        await self.own.look()
        for each in tuple(self._authorities.values()):
            await each.look()
