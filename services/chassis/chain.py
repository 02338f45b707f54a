"""Interceptor chain of every server: one list, outermost first, with a reason for each place."""

import grpc
from opentelemetry.sdk.trace import TracerProvider

from services.chassis.access import OPEN_ON_EVERY_SERVER, AccessTable
from services.chassis.authentication import Authenticator
from services.chassis.calls import PLUMBING, Around, Before, Link, LinksInterceptor, Method
from services.chassis.clock import Clock
from services.chassis.interceptors import (
    Authentication,
    CallLog,
    Deadlines,
    ErrorMapping,
    request_context,
    this_call,
)
from services.chassis.limits.admission import Admission
from services.chassis.limits.room import Room
from services.chassis.metrics import Measurements
from services.chassis.telemetry.call_telemetry import CallTelemetry

_SCOPE = "services.chassis"


def interceptor_chain(
    *,
    service: str,
    access: AccessTable,
    authenticator: Authenticator,
    deadlines: Deadlines,
    clock: Clock,
    tracer_provider: TracerProvider | None,
    measurements: Measurements,
    goes_on: bool,
    admission: Admission | None,
    room: Room,
) -> list[grpc.aio.ServerInterceptor]:
    """Return the chain of a server.

    Args:
        service: Name in the domain of its errors.
        access: Who may call what.
        authenticator: Finds out who calls.
        deadlines: The deadline link, which the server also tells to end open streams.
        clock: Measures durations.
        tracer_provider: Makes spans; None when traces are off.
        measurements: Takes durations down.
        goes_on: Whether traces of callers go on in its spans.
        admission: Limits what one caller has in work; None where services alone call.
        room: Tells a store without room from one that is away.
    """
    tracer = None if tracer_provider is None else tracer_provider.get_tracer(_SCOPE)
    table = {**OPEN_ON_EVERY_SERVER, **access}
    domain = f"{service}.pellicule"

    def telemetry(method: Method) -> CallTelemetry:
        spans = None if method.name.startswith(PLUMBING) else tracer
        return CallTelemetry(method, this_call(), measurements, spans, clock, goes_on=goes_on)

    links: list[Link] = [
        # Every log line below, the call's own line included, bears the request id.
        Before(request_context),
        # Outside the call's line, which learns the code that span and duration bear.
        Around(lambda method, context: telemetry(method)),
        # Outside error mapping, to log the code that the caller sees, refused calls included.
        Around(lambda method, context: CallLog(method, context, table, clock)),
        # Outside deadline and authentication, whose refusals are domain errors too.
        Around(lambda method, context: ErrorMapping(method, context, domain, room)),
        # Outside authentication, so that a slow check counts against the caller's time.
        Around(deadlines.around),
        # Outside authentication, whose work strangers could ask for without end.
        *([] if admission is None else [Around(admission.connection)]),
        # No handler runs without a known caller who may make this call.
        Around(lambda method, context: Authentication(method, context, authenticator, table)),
        # Innermost: a person's share is the same over all of their connections.
        *([] if admission is None else [Around(admission.caller)]),
    ]
    return [LinksInterceptor(links)]
