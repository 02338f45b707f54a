"""The interceptor chain of every server: one list, outermost first, with a reason for each place."""

import grpc
from opentelemetry.sdk.trace import TracerProvider

from services.chassis.access import OPEN_ON_EVERY_SERVER, AccessTable
from services.chassis.authentication import Authenticator
from services.chassis.calls import Around, Before, Link, LinksInterceptor
from services.chassis.clock import Clock
from services.chassis.interceptors import Authentication, CallLog, Deadlines, ErrorMapping, request_context
from services.chassis.telemetry import server_interceptor


def interceptor_chain(
    *,
    service: str,
    access: AccessTable,
    authenticator: Authenticator,
    deadlines: Deadlines,
    clock: Clock,
    tracer_provider: TracerProvider | None,
) -> list[grpc.aio.ServerInterceptor]:
    """Returns the chain of a server.

    Args:
        service: Name in the domain of its errors.
        access: Who may call what.
        authenticator: Finds out who calls.
        deadlines: The deadline link, which the server also tells to end open streams.
        clock: Measures durations.
        tracer_provider: Makes spans; None when traces are off.
    """
    table = {**OPEN_ON_EVERY_SERVER, **access}
    domain = f"{service}.pellicule"
    links: list[Link] = [
        # Every log line below, the call's own line included, bears the request id.
        Before(request_context),
        # Outside error mapping, to log the code that the caller sees, refused calls included.
        Around(lambda method, context: CallLog(method, context, clock)),
        # Outside deadline and authentication, whose refusals are domain errors too.
        Around(lambda method, context: ErrorMapping(method, context, domain)),
        # Outside authentication, so that a slow check counts against the caller's time.
        Around(deadlines.around),
        # Innermost: no handler runs without a known caller who may make this call.
        Before(Authentication(authenticator, table).enter),
    ]
    # The span must cover everything below, and must see the status that `abort` sets.
    tracing = [] if tracer_provider is None else [server_interceptor(tracer_provider)]
    return [*tracing, LinksInterceptor(links)]
