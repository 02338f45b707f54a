"""Servicers of NoticeService and ConsentService: read the request, run the operation, write the response."""

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
from services.chassis.principal import current_subject
from services.chassis.streams import until_token_expires
from services.consent.domain.consent import ConsentEvent
from services.consent.operations.decide import decide
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.read_notices import compare_notices, find_notice
from services.consent.operations.read_state import read_state, watch_state
from services.consent.operations.record_serving import record_serving
from services.consent.operations.withdraw import withdraw
from services.consent.translation import requests, responses


class NoticeServicer(notice_service_pb2_grpc.NoticeServiceServicer):
    """Publishes what people are told, and records what they were shown."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def ListNotices(
        self, request: notice_service_pb2.ListNoticesRequest, context: Context
    ) -> notice_service_pb2.ListNoticesResponse:
        """List the published notices, newest first."""
        page = requests.notice_page(request)
        below = None if page.cursor is None else page.cursor[0]
        found = await self._dependencies.notices.notices(below_edition=below, limit=page.size + 1)
        shown, more = found[: page.size], len(found) > page.size
        return notice_service_pb2.ListNoticesResponse(
            notices=map(responses.notice, shown),
            next_page_token=page.next_token(shown[-1].notice.bundle.edition) if more else "",
        )

    async def GetNotice(
        self, request: notice_service_pb2.GetNoticeRequest, context: Context
    ) -> notice_service_pb2.GetNoticeResponse:
        """Return one notice."""
        found = await find_notice(requests.wanted_notice(request.name), self._dependencies)
        return notice_service_pb2.GetNoticeResponse(notice=responses.notice(found))

    async def DiffNotices(
        self, request: notice_service_pb2.DiffNoticesRequest, context: Context
    ) -> notice_service_pb2.DiffNoticesResponse:
        """Says which purposes changed between two notices."""
        old, new = requests.compared_notices(request)
        changed = await compare_notices(old, new, self._dependencies)
        return notice_service_pb2.DiffNoticesResponse(changed_purposes=map(responses.purpose, changed))

    async def RecordNoticeServed(
        self, request: notice_service_pb2.RecordNoticeServedRequest, context: Context
    ) -> notice_service_pb2.RecordNoticeServedResponse:
        """Record that the calling person was shown a notice."""
        serving = await record_serving(requests.notice_display(request), current_subject(), self._dependencies)
        return notice_service_pb2.RecordNoticeServedResponse(notice_serving=responses.serving(serving))


class ConsentServicer(consent_service_pb2_grpc.ConsentServiceServicer):
    """Records what people decide, and turns it into keys."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def DecideConsent(
        self, request: consent_service_pb2.DecideConsentRequest, context: Context
    ) -> consent_service_pb2.DecideConsentResponse:
        """Decides purposes under a notice that was shown."""
        subject = current_subject()
        result = await decide(requests.decision_request(request), subject, self._dependencies)
        return consent_service_pb2.DecideConsentResponse(
            state=responses.state(result.state),
            events=map(responses.event, result.events),
            receipts=self._receipts(result.events, subject),
        )

    async def WithdrawConsent(
        self, request: consent_service_pb2.WithdrawConsentRequest, context: Context
    ) -> consent_service_pb2.WithdrawConsentResponse:
        """Withdraws purposes and all that build on them."""
        subject = current_subject()
        call, purposes = requests.withdrawal(request)
        result = await withdraw(call, purposes, subject, self._dependencies)
        return consent_service_pb2.WithdrawConsentResponse(
            state=responses.state(result.state),
            events=map(responses.event, result.events),
            receipts=self._receipts(result.events, subject),
        )

    async def GetConsentState(
        self, request: consent_service_pb2.GetConsentStateRequest, context: Context
    ) -> consent_service_pb2.GetConsentStateResponse:
        """Return where every purpose stands for the caller."""
        state = await read_state(current_subject(), self._dependencies)
        return consent_service_pb2.GetConsentStateResponse(state=responses.state(state))

    async def ListConsentEvents(
        self, request: consent_service_pb2.ListConsentEventsRequest, context: Context
    ) -> consent_service_pb2.ListConsentEventsResponse:
        """List the caller's events, newest first, each with its receipt."""
        subject = current_subject()
        page = requests.event_page(request, subject)
        below = None if page.cursor is None else int(page.cursor[0])
        found = await self._dependencies.store.events(subject, below=below, limit=page.size + 1)
        shown, more = found[: page.size], len(found) > page.size
        return consent_service_pb2.ListConsentEventsResponse(
            events=map(responses.event, shown),
            receipts=self._receipts(shown, subject),
            next_page_token=page.next_token(str(shown[-1].revision)) if more else "",
        )

    async def WatchConsent(
        self, request: consent_service_pb2.WatchConsentRequest, context: Context
    ) -> AsyncIterator[consent_service_pb2.WatchConsentResponse]:
        """Send the caller's state now and after every change, until the caller's token expires."""
        watching = watch_state(current_subject(), self._dependencies)
        async with aclosing(until_token_expires(watching, self._dependencies.clock)) as states:
            async for state in states:
                yield consent_service_pb2.WatchConsentResponse(state=responses.state(state))

    async def GetAvailability(
        self, request: consent_service_pb2.GetAvailabilityRequest, context: Context
    ) -> consent_service_pb2.GetAvailabilityResponse:
        """Says which purposes policy offers for a region and an age."""
        wanted, policy = requests.availability(request), self._dependencies.policy
        rows = policy.availability(wanted.jurisdiction, wanted.age, wanted.language)
        return consent_service_pb2.GetAvailabilityResponse(
            purposes=map(responses.availability, rows), policy_sha256=bytes.fromhex(policy.sha256)
        )

    def _receipts(self, events: Sequence[ConsentEvent], subject: str) -> list[consent_pb2.ConsentReceipt]:
        return [responses.receipt(self._dependencies.signer.sign(event, subject=subject)) for event in events]


def register(server: grpc.aio.Server, dependencies: Dependencies) -> None:
    """Add both services to a server."""
    notice_service_pb2_grpc.add_NoticeServiceServicer_to_server(NoticeServicer(dependencies), server)
    consent_service_pb2_grpc.add_ConsentServiceServicer_to_server(ConsentServicer(dependencies), server)
