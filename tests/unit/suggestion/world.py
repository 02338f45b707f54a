"""The suggestion service without servers."""

import io
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from PIL import Image

from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, PurposeScope, SubjectScope
from services.suggestion import acting, collection, purging, refreshing, translation
from services.suggestion.collage import Drawn
from services.suggestion.collection import Opened
from services.suggestion.domain import Act, Photo
from services.suggestion.layouts import Page
from services.suggestion.ports import Understood
from services.suggestion.refreshing import Workshop
from tests.fakes.clock import FakeClock
from tests.fakes.keyring import FakeKeyring
from tests.fakes.object_store import FakeObjectStore
from tests.fakes.suggestion import FakeAnalysis, FakeDatabase
from tests.unit.suggestion.photos import NOON

ALICE, BOB = "a" * 32, "b" * 32


def sketch(page: Page, pictures: Mapping[str, Image.Image]) -> Drawn:
    """Draw a page at a hundredth of its size: what these tests look at does not depend on it."""
    buffer = io.BytesIO()
    Image.new("RGB", (page.width // 10, page.height // 10)).save(buffer, "JPEG")
    return Drawn(buffer.getvalue(), page.width // 10, page.height // 10)


class World:
    """A service without servers."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON + timedelta(days=1))
        self.keyring = FakeKeyring(self.clock)
        self.database = FakeDatabase()
        self.analysis = FakeAnalysis()
        self.objects = FakeObjectStore()
        self.workshop = Workshop(
            self.database, self.analysis, self.keyring, self.objects, "renditions", self.clock, sketch
        )

    def understand(self, subject: str, photos: list[Photo], days: int = 20) -> None:
        self.keyring.grant(subject, "CLOUD_PROCESSING")
        gone = self.clock.now() + timedelta(days=days)
        self.analysis.understood[subject] = [Understood(photo, gone) for photo in photos]

    async def refresh(self, subject: str = ALICE) -> int:
        return await refreshing.refresh(self.workshop, subject=subject)

    async def offered(self, subject: str = ALICE) -> list[Opened]:
        return collection.offered(
            await collection.everything(subject=subject, database=self.database, keyring=self.keyring)
        )

    async def act(self, what: Act, suggestion_id: UUID, request_id: UUID | None = None, subject: str = ALICE) -> Opened:
        return await acting.act(
            subject=subject,
            suggestion_id=suggestion_id,
            request_id=request_id or uuid4(),
            what=what,
            database=self.database,
            keyring=self.keyring,
            clock=self.clock,
            saved_event=translation.saved_event,
        )

    async def read(self, opened: Opened, number: int = 1, subject: str = ALICE) -> bytes:
        pieces = acting.read_rendition(
            subject=subject,
            suggestion_id=opened.row.id,
            number=number,
            database=self.database,
            keyring=self.keyring,
            objects=self.objects,
            bucket="renditions",
            clock=self.clock,
        )
        return b"".join([piece async for piece in pieces])

    def objects_named(self) -> list[str]:
        return [row.object for row in self.database.tables.renditions.values()]

    async def stored_objects(self) -> list[str]:
        return [name async for name in self.objects.list("renditions")]


async def purge(world: World, scope: DataKeyScope | PurposeScope | SubjectScope, cause: PurgeCause) -> dict[str, int]:
    order = PurgeOrder(f"purgeOrders/{uuid4()}", ALICE, cause, scope, world.clock.now())
    return dict(
        await purging.execute(
            order, database=world.database, objects=world.objects, bucket="renditions", clock=world.clock
        )
    )
