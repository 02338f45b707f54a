"""A decision waits for what is away, as the rest of an import does, and is the same request each time."""

from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest

from pellicule.consent.v1 import consent_pb2, consent_service_pb2, notice_pb2, notice_service_pb2
from pellicule.type.v1 import purpose_pb2
from services.cli import outages
from services.cli.client import Services
from services.cli.consent import decisions

PERSON = decisions.Person(region="FR", adult=True, language="en")


class Call:
    """An RPC that fails once as in an outage, and then answers."""

    def __init__(self, answer: object) -> None:
        self._answer = answer
        self.requests: list[Any] = []

    async def __call__(self, request: object, **_: object) -> object:
        self.requests.append(request)
        if len(self.requests) == 1:
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "away")
        return self._answer


async def test_what_is_granted_is_decided_through_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_LONGEST_PAUSE_SECONDS", 0.0)
    notice = notice_pb2.Notice(name="notices/1", texts=[notice_pb2.NoticeText(language_code="en", title="Notice")])
    serving = notice_service_pb2.RecordNoticeServedResponse()
    given = consent_pb2.PurposeState(
        purpose=purpose_pb2.PURPOSE_CLOUD_PROCESSING, status=consent_pb2.CONSENT_STATUS_GIVEN
    )
    decided = consent_service_pb2.DecideConsentResponse(state=consent_pb2.ConsentState(purposes=[given]))
    calls = {
        "GetConsentState": Call(consent_service_pb2.GetConsentStateResponse()),
        "GetNotice": Call(notice_service_pb2.GetNoticeResponse(notice=notice)),
        "RecordNoticeServed": Call(serving),
        "DecideConsent": Call(decided),
    }
    stub = SimpleNamespace(**calls)
    services = cast(
        "Services", cast("Any", SimpleNamespace(consent=stub, notice=stub, headers=(), stack_runs=lambda: True))
    )

    granted = await decisions.ensure(services, PERSON, ["CLOUD_PROCESSING"], interactive=False)

    assert granted == {"CLOUD_PROCESSING"}
    for call in calls.values():
        first, second = call.requests
        assert first == second
