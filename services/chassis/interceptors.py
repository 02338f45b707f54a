"""Links of the interceptor chain; their order and its reasons stand in `chain.py`.

They are plain classes with `__aenter__` and `__aexit__`, not generators: every call passes all of them.
"""

import asyncio
import re
import uuid
from types import TracebackType
from typing import TypeAlias

import grpc
import structlog

from services.chassis.access import AccessTable, Polled, caller_kind, check_access
from services.chassis.authentication import Authenticator
from services.chassis.calls import Call, Context, Method, current_call, enter_call
from services.chassis.clock import Clock
from services.chassis.error_details import STATUS_TRAILER, as_domain_error, sent_message, status_code, status_details
from services.chassis.errors import DeadlineExceeded, DependencyUnavailable, DomainError, InternalError
from services.chassis.limits import LONGEST_CALL_SECONDS, LONGEST_STREAM_SECONDS
from services.chassis.limits.room import Room
from services.chassis.lingering import linger
from services.chassis.principal import enter_principal

RETURN_OVERHEAD = 0.05
"""Seconds kept back from the caller's deadline, so that our answer reaches it before it gives up."""

_ROUNDED_UP = 0.01
"""Share of a deadline that gRPC may have added on the way: it is sent with three digits, rounded up."""

REQUEST_ID_KEY = "x-request-id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

Failure: TypeAlias = BaseException | None

_log = structlog.get_logger()


def request_context(method: Method, context: Context) -> None:
    """Give the call its id, which every log line of its task bears."""
    metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    enter_call(Call(method.name, _request_id(metadata.get(REQUEST_ID_KEY)), metadata))


class CallLog:
    """Writes one canonical line per RPC: method, code, duration, kind of caller, reason.

    A good answer to what is called by the clock appears at level DEBUG only: an idle server's log stays as it is.
    """

    def __init__(self, method: Method, context: Context, table: AccessTable, clock: Clock) -> None:
        self._polled = isinstance(table.get(method.name), Polled)
        self._call = this_call()
        self._context = context
        self._clock = clock
        self._started = clock.monotonic()

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, kind: type[BaseException] | None, error: Failure, trace: TracebackType | None) -> None:
        call = self._call
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            call.code = "CANCELLED"
        elif call.code == "OK":
            set_by_handler = self._context.code()
            call.code = "OK" if set_by_handler is None else set_by_handler.name
        log = _log.debug if self._polled and call.code == "OK" else _log.info
        log(
            "rpc",
            method=call.method,
            code=call.code,
            duration_ms=round((self._clock.monotonic() - self._started) * 1000, 2),
            caller=call.caller,
            reason=call.reason,
            request_id=call.request_id,
        )


class ErrorMapping:
    """Answers a failure with its status and `google.rpc.ErrorInfo`, and keeps its cause in the log."""

    def __init__(self, method: Method, context: Context, domain: str, room: Room) -> None:
        self._context = context
        self._domain = domain
        self._room = room
        self._lingers = method.streams_requests and not method.streams_responses

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, kind: type[BaseException] | None, error: Failure, trace: TracebackType | None) -> None:
        # The outer wall of the process: every failure gets an answer. What is no `Exception` ends the call
        # already, and `AbortError` is an answer.
        if error is not None and (not isinstance(error, Exception) or isinstance(error, grpc.aio.AbortError)):
            return
        if self._lingers:
            await linger(self._context)
        if error is not None:
            await self._answer(error)

    async def _answer(self, error: Exception) -> None:
        answer, call = self._room.explain(as_domain_error(error)), this_call()
        call.code, call.reason = answer.status.name, answer.reason
        if answer is not error or isinstance(answer, InternalError):
            log = _log.error if isinstance(answer, InternalError) else _log.warning
            log("rpc_failed", method=call.method, reason=answer.reason, exc_info=error)
        trailers = ((STATUS_TRAILER, status_details(answer, self._domain)),)
        try:
            await self._context.abort(status_code(answer), sent_message(answer), trailers)
        except grpc.aio.AbortError as abort:
            raise abort from None  # the cause stays out of the span that records this exception


class Deadlines:
    """Makes the deadline of each call, and ends open streams when the server stops."""

    def __init__(self) -> None:
        self.open_streams: set[asyncio.Timeout] = set()
        self.is_stopping = False

    def around(self, method: Method, context: Context) -> "Deadline":
        """Return the context manager of one call."""
        remaining = _time_remaining(context)
        open_stream = remaining is None and method.streams_responses
        scope = asyncio.timeout(0 if open_stream and self.is_stopping else _seconds(method, remaining))
        return Deadline(scope, self if open_stream else None)

    def end_open_streams(self) -> None:
        """End the streams that have no deadline: the server stops, and they would never return."""
        self.is_stopping = True
        now = asyncio.get_running_loop().time()
        for scope in self.open_streams:
            scope.reschedule(now)


class Deadline:
    """Stops work in time for the answer to arrive."""

    def __init__(self, scope: asyncio.Timeout, of_streams: Deadlines | None) -> None:
        self._scope = scope
        self._of_streams = of_streams

    async def __aenter__(self) -> None:
        this_call().expires_at = self._scope.when()
        if self._of_streams is not None:
            self._of_streams.open_streams.add(self._scope)
        await self._scope.__aenter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: Failure, trace: TracebackType | None) -> None:
        if self._of_streams is not None:
            self._of_streams.open_streams.discard(self._scope)
        try:
            await self._scope.__aexit__(kind, error, trace)
        except TimeoutError as timeout:
            raise self._reason() from timeout

    def _reason(self) -> DomainError:
        if self._of_streams is not None and self._of_streams.is_stopping:
            return DependencyUnavailable("this server is stopping: call again to reach another")
        return DeadlineExceeded("the deadline of the call passed before the work was done: give it more time")


class Authentication:
    """Decides who calls, and whether this RPC is for them."""

    def __init__(self, method: Method, context: Context, authenticator: Authenticator, table: AccessTable) -> None:
        self._method = method
        self._context = context
        self._authenticator = authenticator
        self._table = table

    async def __aenter__(self) -> None:
        call, method = this_call(), self._method.name
        principal = await self._authenticator.identify(self._context, call.metadata, self._table, method)
        call.caller = caller_kind(principal)
        check_access(self._table, method, principal)
        enter_principal(principal)

    async def __aexit__(self, kind: type[BaseException] | None, error: Failure, trace: TracebackType | None) -> None:
        pass


def this_call() -> Call:
    """Return the RPC that is running; it is known from the first link on."""
    call = current_call()
    if call is None:
        raise LookupError("the request context must come before this link")
    return call


def _seconds(method: Method, remaining: float | None) -> float | None:
    """Return the time that the work gets; a Watch without a deadline may go on for as long as its caller's token."""
    if remaining is not None:
        return remaining * (1 - _ROUNDED_UP) - RETURN_OVERHEAD
    if not (method.streams_requests or method.streams_responses):
        return LONGEST_CALL_SECONDS
    return None if method.is_watch else LONGEST_STREAM_SECONDS


def _time_remaining(context: Context) -> float | None:
    return context.time_remaining()  # None without a deadline, whatever its type says


def _request_id(sent: str | None) -> str:
    return sent if sent is not None and _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
