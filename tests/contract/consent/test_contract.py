"""What must stay true between the protos and the words of consent."""

import pytest

from pellicule.consent.v1 import consent_pb2, consent_service_pb2, notice_pb2
from services.consent.domain.availability import AvailabilityReason
from services.consent.domain.consent import AgeBand, Basis, Choice, EventType, Status
from services.consent.domain.notice import Surface

_UNSPECIFIED = "UNSPECIFIED"


@pytest.mark.parametrize(
    ("prefix", "contract", "domain"),
    [
        ("CONSENT_STATUS_", consent_pb2.ConsentStatus, Status),
        ("CONSENT_EVENT_TYPE_", consent_pb2.ConsentEventType, EventType),
        ("CHOICE_", consent_pb2.Choice, Choice),
        ("DETERMINATION_BASIS_", consent_pb2.DeterminationBasis, Basis),
        ("AGE_BAND_", consent_pb2.AgeBand, AgeBand),
        ("AVAILABILITY_REASON_", consent_service_pb2.AvailabilityReason, AvailabilityReason),
        ("SURFACE_", notice_pb2.Surface, Surface),
    ],
)
def test_the_domain_knows_every_value_of_the_contract(
    prefix: str, contract: object, domain: "type[Status | EventType]"
) -> None:
    values = {name.removeprefix(prefix) for name in contract.keys()}  # type: ignore[attr-defined]  # noqa: SIM118

    assert {str(member) for member in domain} | {_UNSPECIFIED} == values


@pytest.mark.parametrize("kind", list(EventType))
def test_every_event_leads_to_a_status(kind: EventType) -> None:
    assert kind.status is (Status.GIVEN if kind is EventType.RENEWED else Status[kind.name])
