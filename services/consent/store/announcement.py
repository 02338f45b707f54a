"""Event that tells other services what a person now allows, as a protobuf message."""

from pellicule.internal.consent.v1 import consent_changed_pb2
from pellicule.type.v1 import purpose_pb2
from services.chassis.messaging.events import OutgoingEvent
from services.consent.domain.change import Change
from services.consent.domain.consent import ConsentEvent

TYPE = consent_changed_pb2.ConsentChanged.DESCRIPTOR.full_name


def announcement(subject: str, change: Change) -> OutgoingEvent | None:
    """Return the event of a change that has become true; None if nothing came or went."""
    if not (change.grants or change.ends):
        return None
    message = consent_changed_pb2.ConsentChanged(
        subject=subject,
        revision=change.events[-1].revision,
        granted=map(_number, change.grants),
        revoked=map(_number, change.ends),
    )
    return OutgoingEvent(type=TYPE, subject=f"subjects/{subject}", body=message.SerializeToString(), person=subject)


def _number(event: ConsentEvent) -> purpose_pb2.Purpose.ValueType:
    return purpose_pb2.Purpose.Value(f"PURPOSE_{event.purpose}")
