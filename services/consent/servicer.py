"""The two services over gRPC: read the request, run the operation, write the response."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import grpc

from pellicule.consent.v1 import (
    consent_pb2,
    consent_service_pb2,
    consent_service_pb2_grpc,
    notice_service_pb2,
    notice_service_pb2_grpc,
)
from services.chassis.calls import Context
from services.chassis.clock import Clock
from services.chassis.principal import current_subject
from services.consent import noticing, operations, rendering, translation
from services.consent.domain import ConsentEvent
from services.consent.policy import Policy
from services.consent.ports import ChangeFeed, ConsentStore, NoticeStore, PurposeKeys
from services.consent.receipts import ReceiptSigner

_EVENTS = {"default": 100, "largest": 1000}
_NOTICES = {"default": 20, "largest": 100}


class NoticeServicer(notice_service_pb2_grpc.NoticeServiceServicer):
    """Publishes what people are told, and records what they were shown."""

    def __init__(self, *, notices: NoticeStore, clock: Clock) -> None:
        self._notices = notices
        self._clock = clock

    async def ListNotices(
        self, request: notice_service_pb2.ListNoticesRequest, context: Context
    ) -> notice_service_pb2.ListNoticesResponse:
        """Lists the published notices, newest first."""
        size = translation.page_size(request.page_size, **_NOTICES)
        below = translation.edition_position(request.page_token)
        found = await self._notices.notices(below_edition=below, limit=size + 1)
        page, more = found[:size], len(found) > size
        return notice_service_pb2.ListNoticesResponse(
            notices=map(rendering.notice, page),
            next_page_token=translation.page_token(page[-1].notice.bundle.edition) if more else "",
        )

    async def GetNotice(
        self, request: notice_service_pb2.GetNoticeRequest, context: Context
    ) -> notice_service_pb2.GetNoticeResponse:
        """Returns one notice."""
        found = await noticing.find(translation.wanted_notice(request.name), store=self._notices)
        return notice_service_pb2.GetNoticeResponse(notice=rendering.notice(found))

    async def DiffNotices(
        self, request: notice_service_pb2.DiffNoticesRequest, context: Context
    ) -> notice_service_pb2.DiffNoticesResponse:
        """Says which purposes changed between two notices."""
        old = translation.notice_digest(request.old_notice, "old_notice")
        new = translation.notice_digest(request.new_notice, "new_notice")
        changed = await noticing.difference(old, new, store=self._notices)
        return notice_service_pb2.DiffNoticesResponse(changed_purposes=map(rendering.purpose, changed))

    async def RecordNoticeServed(
        self, request: notice_service_pb2.RecordNoticeServedRequest, context: Context
    ) -> notice_service_pb2.RecordNoticeServedResponse:
        """Records that the calling person was shown a notice."""
        serving = await noticing.record_served(
            translation.shown(request), subject=current_subject(), store=self._notices, clock=self._clock
        )
        return notice_service_pb2.RecordNoticeServedResponse(notice_serving=rendering.serving(serving))


class ConsentServicer(consent_service_pb2_grpc.ConsentServiceServicer):
    """Records what people decide, and turns it into keys."""

    def __init__(
        self,
        *,
        store: ConsentStore,
        notices: NoticeStore,
        policy: Policy,
        keys: PurposeKeys,
        feed: ChangeFeed,
        signer: ReceiptSigner,
        clock: Clock,
    ) -> None:
        self._store = store
        self._notices = notices
        self._policy = policy
        self._keys = keys
        self._feed = feed
        self._signer = signer
        self._clock = clock

    async def DecideConsent(
        self, request: consent_service_pb2.DecideConsentRequest, context: Context
    ) -> consent_service_pb2.DecideConsentResponse:
        """Decides purposes under a notice that was shown."""
        subject = current_subject()
        answer = await operations.decide(
            translation.asked(request),
            subject=subject,
            store=self._store,
            notices=self._notices,
            policy=self._policy,
            keys=self._keys,
            clock=self._clock,
        )
        return consent_service_pb2.DecideConsentResponse(
            state=rendering.state(answer.state),
            events=map(rendering.event, answer.events),
            receipts=self._receipts(answer.events, subject),
        )

    async def WithdrawConsent(
        self, request: consent_service_pb2.WithdrawConsentRequest, context: Context
    ) -> consent_service_pb2.WithdrawConsentResponse:
        """Withdraws purposes and all that build on them."""
        subject = current_subject()
        call, purposes = translation.withdrawal(request)
        answer = await operations.withdraw(
            call, purposes, subject=subject, store=self._store, keys=self._keys, clock=self._clock
        )
        return consent_service_pb2.WithdrawConsentResponse(
            state=rendering.state(answer.state),
            events=map(rendering.event, answer.events),
            receipts=self._receipts(answer.events, subject),
        )

    async def GetConsentState(
        self, request: consent_service_pb2.GetConsentStateRequest, context: Context
    ) -> consent_service_pb2.GetConsentStateResponse:
        """Returns where every purpose stands for the caller."""
        state = await operations.state(subject=current_subject(), store=self._store, clock=self._clock)
        return consent_service_pb2.GetConsentStateResponse(state=rendering.state(state))

    async def ListConsentEvents(
        self, request: consent_service_pb2.ListConsentEventsRequest, context: Context
    ) -> consent_service_pb2.ListConsentEventsResponse:
        """Lists the caller's events, newest first, each with its receipt."""
        subject = current_subject()
        size = translation.page_size(request.page_size, **_EVENTS)
        below = translation.revision_position(request.page_token)
        found = await self._store.events(subject, below=below, limit=size + 1)
        page, more = found[:size], len(found) > size
        return consent_service_pb2.ListConsentEventsResponse(
            events=map(rendering.event, page),
            receipts=self._receipts(page, subject),
            next_page_token=translation.page_token(str(page[-1].revision)) if more else "",
        )

    async def WatchConsent(
        self, request: consent_service_pb2.WatchConsentRequest, context: Context
    ) -> AsyncIterator[consent_service_pb2.WatchConsentResponse]:
        """Sends the caller's state now and after every change."""
        watching = operations.watch(subject=current_subject(), store=self._store, feed=self._feed, clock=self._clock)
        async with aclosing(watching) as states:
            async for state in states:
                yield consent_service_pb2.WatchConsentResponse(state=rendering.state(state))

    async def GetAvailability(
        self, request: consent_service_pb2.GetAvailabilityRequest, context: Context
    ) -> consent_service_pb2.GetAvailabilityResponse:
        """Says which purposes policy offers for a region and an age."""
        rows = self._policy.availability(translation.jurisdiction(request.jurisdiction), translation.age(request.age))
        return consent_service_pb2.GetAvailabilityResponse(
            purposes=map(rendering.availability, rows), policy_sha256=self._policy.sha256
        )

    def _receipts(self, events: Sequence[ConsentEvent], subject: str) -> list[consent_pb2.ConsentReceipt]:
        return [rendering.receipt(self._signer.sign(event, subject=subject)) for event in events]


def register(server: grpc.aio.Server, notices: NoticeServicer, consent: ConsentServicer) -> None:
    """Adds both services to a server."""
    notice_service_pb2_grpc.add_NoticeServiceServicer_to_server(notices, server)
    consent_service_pb2_grpc.add_ConsentServiceServicer_to_server(consent, server)
