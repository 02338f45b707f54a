"""The suggestion service without servers."""

import io
from datetime import timedelta
from uuid import UUID, uuid4

from PIL import Image

from services.chassis import paging
from services.chassis.paging import PageQuery, decode_page_token
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, PurposeScope, SubjectScope
from services.suggestion import translation
from services.suggestion.domain.photos import Photo
from services.suggestion.domain.policy import Policy
from services.suggestion.domain.suggestions import Decision
from services.suggestion.drawing.layouts import Page
from services.suggestion.drawing.rendering import Pictures, RenderedPage
from services.suggestion.operations.decide import decide
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.list_suggestions import Order, SuggestionFilter, list_suggestions
from services.suggestion.operations.open_suggestions import OpenSuggestion
from services.suggestion.operations.purge import execute
from services.suggestion.operations.read_rendition import open_rendition
from services.suggestion.operations.refresh import refresh
from services.suggestion.ports import AnalyzedPhoto
from tests.fakes.change_feed import FakeChangeFeed
from tests.fakes.clock import FakeClock
from tests.fakes.keyring import FakeKeyring
from tests.fakes.object_store import FakeObjectStore
from tests.fakes.suggestion import FakeAnalysis, FakeDatabase
from tests.unit.suggestion.photos import NOON

ALICE, BOB = "a" * 32, "b" * 32
QUIET = timedelta(seconds=3)
ALL_OFFERED = SuggestionFilter()
POLICY = Policy(quiet=QUIET, patience=timedelta(minutes=1), offer_life=timedelta(days=14), backstop=timedelta(days=32))


def sketch(page: Page, pictures: Pictures) -> RenderedPage:
    """Draw a page at a hundredth of its size: what these tests look at does not depend on it."""
    buffer = io.BytesIO()
    Image.new("RGB", (page.width // 10, page.height // 10)).save(buffer, "JPEG")
    return RenderedPage(page.layout, buffer.getvalue(), page.width // 10, page.height // 10)


class Harness:
    """A service without servers."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOON + timedelta(days=1))
        self.keyring = FakeKeyring(self.clock)
        self.changes = FakeChangeFeed(self.clock, "WatchSuggestions")
        self.database = FakeDatabase(self.changes.store)
        self.analysis = FakeAnalysis()
        self.objects = FakeObjectStore()
        self.dependencies = Dependencies(
            database=self.database,
            analysis=self.analysis,
            keyring=self.keyring,
            objects=self.objects,
            change_feed=self.changes.feed,
            bucket="renditions",
            policy=POLICY,
            clock=self.clock,
            draw=sketch,
        )

    def analyze(self, subject: str, photos: list[Photo], days: int = 20) -> None:
        self.keyring.grant(subject, "CLOUD_PROCESSING")
        gone = self.clock.now() + timedelta(days=days)
        self.analysis.analyzed[subject] = [AnalyzedPhoto(photo, gone) for photo in photos]

    def analyzed(self, subject: str) -> list[Photo]:
        return [each.photo for each in self.analysis.analyzed[subject]]

    def told(self, subject: str = ALICE) -> dict[str, bool]:
        """Return what the feed tells: resources by name, and whether they are there."""
        return {name: not change.deleted for name, change in self.changes.store.latest[subject].items()}

    async def refresh(self, subject: str = ALICE) -> int:
        return await refresh(self.dependencies, subject=subject)

    async def listed(
        self,
        subject: str = ALICE,
        *,
        wanted: SuggestionFilter = ALL_OFFERED,
        order: Order = Order.BEST,
        size: int = 100,
        token: str = "",
    ) -> tuple[list[OpenSuggestion], str]:
        query = PageQuery("ListSuggestions", subject)
        page = paging.Page(size, decode_page_token(token, query), query)
        return await list_suggestions(self.dependencies, subject=subject, wanted=wanted, order=order, page=page)

    async def offered(self, subject: str = ALICE) -> list[OpenSuggestion]:
        return (await self.listed(subject))[0]

    async def decide(
        self, decision: Decision, suggestion_id: UUID, request_id: UUID | None = None, subject: str = ALICE
    ) -> OpenSuggestion:
        return await decide(
            self.dependencies,
            subject=subject,
            suggestion_id=suggestion_id,
            request_id=request_id or uuid4(),
            decision=decision,
            saved_event=translation.saved_event,
        )

    async def read(self, opened: OpenSuggestion, number: int = 1, subject: str = ALICE, offset: int = 0) -> bytes:
        stream = await open_rendition(
            self.dependencies, subject=subject, suggestion_id=opened.row.id, number=number, offset=offset
        )
        return b"".join([piece async for piece in stream.pieces])

    def objects_named(self) -> list[str]:
        return [row.object for row in self.database.tables.renditions.values()]

    async def stored_objects(self) -> list[str]:
        return [name async for name in self.objects.list("renditions")]


def is_trip(opened: OpenSuggestion) -> bool:
    return opened.idea.theme == "trip"


async def purge(
    harness: Harness, scope: DataKeyScope | PurposeScope | SubjectScope, cause: PurgeCause
) -> dict[str, int]:
    order = PurgeOrder(f"purgeOrders/{uuid4()}", ALICE, cause, scope, harness.clock.now())
    return dict(await execute(harness.dependencies, order))
