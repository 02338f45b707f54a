"""Receipts of decisions: saved as files, and checked without a network against a key that one trusts already."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pellicule.consent.v1 import consent_pb2, consent_service_pb2
from services.cli.client import Services, pages
from services.cli.output import CommandFailed

_PAGE = 100
_MOST_BYTES = 1024 * 1024


async def receipts(services: Services) -> AsyncIterator[tuple[str, consent_pb2.ConsentReceipt]]:
    """Yield every event of the person by its id, the newest first, with its receipt."""
    request = consent_service_pb2.ListConsentEventsRequest(page_size=_PAGE)
    async for page in pages(services, services.consent.ListConsentEvents, request):
        for event, receipt in zip(page.events, page.receipts, strict=True):
            yield event.name.partition("/")[2], receipt


def row(receipt: consent_pb2.ConsentReceipt) -> dict[str, str]:
    """Return a receipt as it is kept in a file; bytes are in base64."""
    return {
        "canonical_json": base64.b64encode(receipt.canonical_json).decode(),
        "signature": base64.b64encode(receipt.signature).decode(),
        "key_id": receipt.key_id,
    }


def verified(file: Path, key_file: Path) -> Mapping[str, object]:
    """Return what a receipt states, if the key signed it; a key that comes with the receipt proves nothing.

    Args:
        file: A receipt as `row` has it, in JSON.
        key_file: Public Ed25519 key of the installation, PEM.

    Raises:
        CommandFailed: RECEIPT_UNREADABLE, KEY_UNREADABLE, RECEIPT_FORGED.
    """
    content, signature = _read(file)
    try:
        _public_key(key_file).verify(signature, content)
    except InvalidSignature:
        message = f"it was not signed with the key in {key_file}, or was altered since: do not rely on it"
        raise CommandFailed("RECEIPT_FORGED", message, str(file)) from None
    return _statement(content, file)


def _read(file: Path) -> tuple[bytes, bytes]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too large")
        kept = json.loads(file.read_bytes())
        content, signature = (base64.b64decode(kept[name], validate=True) for name in ("canonical_json", "signature"))
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise _unreadable(file) from error
    return content, signature


def _statement(content: bytes, file: Path) -> Mapping[str, object]:
    """Return what is stated: there is one way alone to write it down."""
    try:
        stated = json.loads(content)
        if isinstance(stated, dict) and rfc8785.dumps(stated) == content:
            return stated
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise _unreadable(file) from error
    raise _unreadable(file)


def _unreadable(file: Path) -> CommandFailed:
    wanted = "it is no receipt: save one with `pellicule consent receipts --save FOLDER`"
    return CommandFailed("RECEIPT_UNREADABLE", wanted, str(file))


def _public_key(file: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(file.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        wanted = "it holds no public Ed25519 key in PEM: take the one that the installation published"
        raise CommandFailed("KEY_UNREADABLE", wanted, str(file))
    return key
