"""The links of the interceptor chain; their order and its reasons stand in `chain.py`."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog

from services.chassis.access import AccessTable, caller_kind, check_access
from services.chassis.authentication import Authenticator
from services.chassis.calls import Call, Context, Method, current_call, enter_call
from services.chassis.clock import Clock
from services.chassis.error_details import STATUS_TRAILER, as_domain_error, status_code, status_details
from services.chassis.errors import DeadlineExceeded, DependencyUnavailable, DomainError, InternalError
from services.chassis.principal import enter_principal

RETURN_OVERHEAD = 0.05
"""Seconds kept back from the caller's deadline, so that our answer reaches it before it gives up."""

REQUEST_ID_KEY = "x-request-id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

_log = structlog.stdlib.get_logger()


class RequestContext:
    """Gives the call its id and binds it to every log line of its task."""

    @asynccontextmanager
    async def around(self, method: Method, context: Context) -> AsyncIterator[None]:
        """Surrounds one call."""
        call = Call(method.name, _request_id(context))
        enter_call(call)
        structlog.contextvars.bind_contextvars(request_id=call.request_id)
        yield


class CallLog:
    """Writes one canonical line per RPC: method, code, duration, kind of caller, reason."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @asynccontextmanager
    async def around(self, method: Method, context: Context) -> AsyncIterator[None]:
        """Surrounds one call."""
        call, started = _this_call(), self._clock.monotonic()
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            call.code = "CANCELLED"
            raise
        finally:
            _write_line(call, context, self._clock.monotonic() - started)


class ErrorMapping:
    """Answers a failure with its status and `google.rpc.ErrorInfo`, and keeps its cause in the log."""

    def __init__(self, service: str) -> None:
        self._domain = f"{service}.pellicule"

    @asynccontextmanager
    async def around(self, method: Method, context: Context) -> AsyncIterator[None]:
        """Surrounds one call."""
        try:
            yield
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001  # the process's outer wall: every failure gets an answer
            await self._answer(error, context)

    async def _answer(self, error: Exception, context: Context) -> None:
        answer = as_domain_error(error)
        call = _this_call()
        call.code, call.reason = answer.status.name, answer.reason
        if answer is not error:
            level = "error" if isinstance(answer, InternalError) else "warning"
            getattr(_log, level)("rpc_failed", method=call.method, reason=answer.reason, exc_info=error)
        trailers = ((STATUS_TRAILER, status_details(answer, self._domain)),)
        try:
            await context.abort(status_code(answer), answer.message, trailers)
        except grpc.aio.AbortError as abort:
            raise abort from None  # the cause stays out of the span that records this exception


class Deadline:
    """Stops work in time for the answer to arrive, and ends open streams when the server stops."""

    def __init__(self) -> None:
        self._open_streams: set[asyncio.Timeout] = set()
        self._stopping = False

    @asynccontextmanager
    async def around(self, method: Method, context: Context) -> AsyncIterator[None]:
        """Surrounds one call."""
        remaining = _time_remaining(context)
        open_stream = remaining is None and method.streams_responses
        scope = asyncio.timeout(self._time_for(remaining, open_stream=open_stream))
        _this_call().expires_at = scope.when()
        if open_stream:
            self._open_streams.add(scope)
        try:
            async with scope:
                yield
        except TimeoutError as error:
            if scope.expired():
                raise _out_of_time(open_stream=open_stream) from error
            raise
        finally:
            self._open_streams.discard(scope)

    def end_open_streams(self) -> None:
        """Ends the streams that have no deadline: the server stops, and they would never return."""
        self._stopping = True
        now = asyncio.get_running_loop().time()
        for scope in self._open_streams:
            scope.reschedule(now)

    def _time_for(self, remaining: float | None, *, open_stream: bool) -> float | None:
        if open_stream and self._stopping:
            return 0
        return None if remaining is None else remaining - RETURN_OVERHEAD


class Authentication:
    """Decides who calls, and whether this RPC is for them."""

    def __init__(self, authenticator: Authenticator, table: AccessTable) -> None:
        self._authenticator = authenticator
        self._table = table

    @asynccontextmanager
    async def around(self, method: Method, context: Context) -> AsyncIterator[None]:
        """Surrounds one call."""
        principal = self._authenticator.identify(context, self._table, method.name)
        _this_call().caller = caller_kind(principal)
        check_access(self._table, method.name, principal)
        enter_principal(principal)
        yield


def _this_call() -> Call:
    call = current_call()
    if call is None:
        raise LookupError("the request context interceptor must come before this one")
    return call


def _time_remaining(context: Context) -> float | None:
    return context.time_remaining()  # None without a deadline, whatever its type says


def _out_of_time(*, open_stream: bool) -> DomainError:
    if open_stream:
        return DependencyUnavailable("this server is stopping: call again to reach another")
    return DeadlineExceeded("the deadline of the call passed before the work was done: give it more time")


def _request_id(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return uuid.uuid4().hex


def _write_line(call: Call, context: Context, seconds: float) -> None:
    set_by_handler = context.code()
    if call.code == "OK" and set_by_handler is not None:
        call.code = set_by_handler.name
    _log.info(
        "rpc",
        method=call.method,
        code=call.code,
        duration_ms=round(seconds * 1000, 2),
        caller=call.caller,
        reason=call.reason,
    )
