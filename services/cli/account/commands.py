"""Commands about all that is kept of a person: usage, uploads, devices, erase."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from pellicule.ingest.v1 import device_service_pb2, media_service_pb2
from services.cli import durations
from services.cli.access import run_connected
from services.cli.account import deletion, erasure, rows
from services.cli.client import PAGE_SIZE, SHORT_CALL_SECONDS, Services, pages
from services.cli.options import ME, Json, Subject
from services.cli.output import CommandFailed, UsageWrong, confirmed, emit, failures, is_script, say
from services.cli.photos import listing

LONGEST_DELAY = timedelta(days=30)


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("usage")(usage)
    app.command("uploads")(uploads)
    app.command("devices")(devices)
    app.command("erase")(erase)


def usage(subject: Subject = ME, as_json: Json = False) -> None:
    """Say how much of the store a person uses, and the person's share."""

    async def work(services: Services) -> None:
        reply = await services.media.GetUsage(
            media_service_pb2.GetUsageRequest(), metadata=services.headers, timeout=SHORT_CALL_SECONDS
        )
        row = rows.usage(reply)
        if as_json:
            emit(row)
            return
        used, share = reply.used_bytes / 1e9, reply.quota_bytes / 1e9
        say(f"{used:.2f} of {share:.2f} GB, {reply.media_count} photos, {reply.open_upload_count} open uploads")

    with failures(as_json=as_json):
        run_connected(work, subject)


def uploads(
    cancel: Annotated[str, typer.Option(help="Give one up, by its name, uploads/...")] = "",
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """List the uploads that are open, newest first."""

    async def work(services: Services) -> None:
        if cancel:
            request = media_service_pb2.CancelUploadRequest(name=cancel)
            await services.media.CancelUpload(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
            emit({"name": cancel, "cancelled": True}) if as_json else say(f"{cancel}: given up")
            return
        listed = pages(services, services.media.ListUploads, media_service_pb2.ListUploadsRequest(page_size=PAGE_SIZE))
        async for page in listed:
            for each in page.uploads:
                row = rows.upload(each)
                emit(row) if as_json else say("{name}: {committed_bytes} of {size_bytes} bytes".format(**row))

    with failures(as_json=as_json):
        run_connected(work, subject)


def devices(
    revoke: Annotated[str, typer.Option(help="Revoke one, by its name, devices/...")] = "",
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """List the devices of a person, the one seen last first."""

    async def work(services: Services) -> None:
        if revoke:
            request = device_service_pb2.RevokeDeviceRequest(name=revoke)
            reply = await services.devices.RevokeDevice(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
            _print_device(rows.device(reply.device), as_json=as_json)
            return
        request_all = device_service_pb2.ListDevicesRequest(page_size=PAGE_SIZE)
        async for page in pages(services, services.devices.ListDevices, request_all):
            for each in page.devices:
                _print_device(rows.device(each), as_json=as_json)

    with failures(as_json=as_json):
        run_connected(work, subject)


def erase(
    file: Annotated[str, typer.Option(help="Erase one photo, by its name as imported, instead of everything.")] = "",
    account: Annotated[bool, typer.Option("--account", help="Delete the account: decisions and devices too.")] = False,
    delay: Annotated[str, typer.Option(help="With --account: the time for second thoughts, 0s to 30d.")] = "7d",
    cancel: Annotated[
        str, typer.Option(help="Take back the deletion of an account, accountDeletions/..., before it begins.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; a script must say it.")] = False,
    subject: Subject = ME,
    as_json: Json = False,
) -> None:
    """Erase one photo, everything, or the account of a person, and say what each store deleted. Asks first."""

    async def work(services: Services) -> None:
        if cancel:
            _print_erased(rows.account_deletion(await deletion.cancel(services, cancel)), as_json=as_json)
        elif account:
            _print_erased(rows.account_deletion(await deletion.request(services, wait)), as_json=as_json)
        else:
            for target in await listing.named(services, file) if file else [""]:
                _print_erased(rows.erasure(await erasure.erase(services, target)), as_json=as_json)

    with failures(as_json=as_json):
        if sum(map(bool, (file, account, cancel))) > 1:
            raise UsageWrong("OPTION_UNKNOWN", "choose one of --file, --account and --cancel")
        wait = durations.parse(delay, field="--delay", least=timedelta(0), most=LONGEST_DELAY)
        if not yes and not cancel:
            _confirm(_question(file, subject, wait, account=account), as_json=as_json)
        run_connected(work, subject)


def _question(file: str, subject: str, delay: timedelta, *, account: bool) -> str:
    if account:
        return f"Delete the account of {subject}, beginning {f'in {delay}' if delay else 'now'}?"
    what = f"{file} of {subject}" if file else f"everything of {subject}"
    return f"Erase {what}? This cannot be undone."


def _confirm(question: str, *, as_json: bool) -> None:
    if is_script(as_json=as_json):
        raise UsageWrong("NOT_CONFIRMED", "nothing was erased: a script is not asked, it says --yes", "--yes")
    if not confirmed(question):
        raise CommandFailed("NOT_CONFIRMED", "nothing was erased")


def _print_device(row: rows.Row, *, as_json: bool) -> None:
    if as_json:
        emit(row)
        return
    revoked = f", revoked at {row['revoked_at']}" if row["revoked_at"] else ""
    say(
        f"{row['name']}: {row['display_name']} ({row['platform']}), last seen {row['last_seen_at'] or 'never'}{revoked}"
    )


def _print_erased(row: rows.Row, *, as_json: bool) -> None:
    if as_json:
        emit(row)
        return
    for line in rows.erased_lines(row):
        say(line)
