"""Showing the notice, asking, deciding and withdrawing: the person's side of consent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from uuid import uuid4

from pellicule.consent.v1 import consent_pb2, consent_service_pb2, notice_pb2, notice_service_pb2
from services.cli.client import SHORT_CALL_SECONDS, Services
from services.cli.consent import purposes
from services.cli.escaping import several_lines
from services.cli.outages import through
from services.cli.output import CommandFailed, UsageWrong, confirmed, show


@dataclass(frozen=True)
class Person:
    """What the person declares of themselves: where they are, and whether they are of age."""

    region: str
    adult: bool
    language: str


async def state(services: Services) -> consent_pb2.ConsentState:
    """Return where every purpose stands."""
    request = consent_service_pb2.GetConsentStateRequest()
    reply = await through(
        services,
        lambda: services.consent.GetConsentState(
            request, metadata=services.headers, timeout=SHORT_CALL_SECONDS, wait_for_ready=True
        ),
    )
    return reply.state


def granted(now: consent_pb2.ConsentState) -> frozenset[str]:
    """Return the names of the purposes that are granted."""
    return frozenset(
        purposes.name(row.purpose) for row in now.purposes if row.status == consent_pb2.CONSENT_STATUS_GIVEN
    )


async def ensure(services: Services, person: Person, wanted: Sequence[str], *, interactive: bool) -> frozenset[str]:
    """Grant what is asked for, or show the notice and ask if nothing is granted; return what is granted now.

    Raises:
        UsageWrong: nothing is granted, nothing was asked for, and the command is not run from a terminal.
    """
    have = granted(await state(services))
    missing = [name for name in wanted if name not in have]
    if not wanted and "CLOUD_PROCESSING" not in have:
        if not interactive:
            raise UsageWrong(
                "CONSENT_NEEDED",
                "nothing is uploaded without consent; read the notice with `pellicule consent` and name what you"
                " allow with --grant CLOUD_PROCESSING[,LOCATION,FACE_GROUPING,...]",
                "--grant",
            )
        return await decide(services, person, await _ask(services, person))
    if missing:
        return await decide(services, person, dict.fromkeys(missing, True))
    return have


async def decide(services: Services, person: Person, choices: Mapping[str, bool]) -> frozenset[str]:
    """Show the notice on standard error, record that, and decide purposes; return what is granted afterwards."""
    notice = await current_notice(services)
    rendered = render(notice, person.language)
    show(rendered)
    serving = await _record(services, notice, person, rendered)
    request = consent_service_pb2.DecideConsentRequest(
        request_id=str(uuid4()),
        notice=notice.name,
        notice_serving=serving,
        decisions=[_decision(name, yes=yes) for name, yes in choices.items()],
        jurisdiction=consent_pb2.Jurisdiction(region_code=person.region, basis=_basis(person.region)),
        age=consent_pb2.Age(
            band=consent_pb2.AGE_BAND_ADULT if person.adult else consent_pb2.AGE_BAND_UNSPECIFIED,
            basis=consent_pb2.DETERMINATION_BASIS_SELF_DECLARED,
        ),
    )
    reply = await through(
        services,
        lambda: services.consent.DecideConsent(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS),
    )
    return granted(reply.state)


async def withdraw(services: Services, names: Sequence[str]) -> consent_pb2.ConsentState:
    """Withdraw purposes; their keys are destroyed when this returns."""
    request = consent_service_pb2.WithdrawConsentRequest(request_id=str(uuid4()), purposes=purposes.numbers(names))
    reply = await services.consent.WithdrawConsent(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    return reply.state


async def current_notice(services: Services) -> notice_pb2.Notice:
    """Return the notice in force."""
    request = notice_service_pb2.GetNoticeRequest(name="notices/current")
    reply = await through(
        services, lambda: services.notice.GetNotice(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
    )
    return reply.notice


def render(notice: notice_pb2.Notice, language: str) -> str:
    """Return the notice as the person reads it in a terminal, and as its digest is recorded."""
    text = _text(notice, language)
    rows = [text.title, "", text.body, ""]
    for row in text.purposes:
        rows += [f"- {row.title} ({purposes.name(row.purpose)})", f"  {row.body}", ""]
    return several_lines("\n".join([*rows, notice.name, ""]))


def _text(notice: notice_pb2.Notice, language: str) -> notice_pb2.NoticeText:
    return next((text for text in notice.texts if text.language_code == language), notice.texts[0])


async def _record(services: Services, notice: notice_pb2.Notice, person: Person, rendered: str) -> str:
    request = notice_service_pb2.RecordNoticeServedRequest(
        request_id=str(uuid4()),
        notice=notice.name,
        language_code=_text(notice, person.language).language_code,
        surface=notice_pb2.SURFACE_CLI,
        build=version("pellicule"),
        rendered_sha256=hashlib.sha256(rendered.encode()).digest(),
    )
    reply = await through(
        services,
        lambda: services.notice.RecordNoticeServed(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS),
    )
    return reply.notice_serving.name


async def _ask(services: Services, person: Person) -> dict[str, bool]:
    """Show the notice and take a yes or no for each purpose; anything but a clear yes is a no."""
    notice = await current_notice(services)
    show(render(notice, person.language))
    choices: dict[str, bool] = {}
    for row in _text(notice, person.language).purposes:
        name = purposes.name(row.purpose)
        if name != "CLOUD_PROCESSING" and not choices.get("CLOUD_PROCESSING"):
            continue
        choices[name] = confirmed(f"{row.title}?")
    if not choices.get("CLOUD_PROCESSING"):
        raise CommandFailed("CONSENT_REFUSED", "nothing was uploaded; refusing costs nothing and can be changed")
    return choices


def _decision(name: str, *, yes: bool) -> consent_pb2.PurposeDecision:
    choice = consent_pb2.CHOICE_GRANT if yes else consent_pb2.CHOICE_REFUSE
    return consent_pb2.PurposeDecision(purpose=purposes.number(name), choice=choice)


def _basis(region: str) -> consent_pb2.DeterminationBasis.ValueType:
    if not region:
        return consent_pb2.DETERMINATION_BASIS_UNSPECIFIED
    return consent_pb2.DETERMINATION_BASIS_SELF_DECLARED
