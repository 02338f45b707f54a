import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import rfc8785
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.consent.domain.consent import Age, AgeBand, Basis, ConsentEvent, EventType, Jurisdiction
from services.consent.domain.receipt import Receipt
from services.consent.errors import ReceiptKeyInvalid
from services.consent.receipts.signer import Ed25519Signer, key_id, verify
from services.keyring import Purpose
from tests.unit.consent.harness import ADA

_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_EVENT = ConsentEvent(
    id=UUID(int=1),
    revision=7,
    purpose=Purpose.OLDER_MEDIA,
    type=EventType.GIVEN,
    event_time=datetime(2026, 3, 1, 12, 0, 0, 250, tzinfo=UTC),
    notice="9" * 64,
    expire_time=datetime(2027, 3, 1, 12, tzinfo=UTC),
    serving=UUID(int=2),
    jurisdiction=Jurisdiction("US-CA", Basis.SELF_DECLARED),
    age=Age(AgeBand.ADULT, Basis.VERIFIED),
    policy_sha256="8" * 64,
    older_media_start_time=datetime(2025, 1, 1, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def receipt() -> Receipt:
    return Ed25519Signer(_KEY).sign(_EVENT, subject=ADA)


def test_a_receipt_is_canonical_json_of_all_that_was_decided(receipt: Receipt) -> None:
    stated = json.loads(receipt.canonical_json)

    assert rfc8785.dumps(stated) == receipt.canonical_json
    assert stated == {
        "schema": "pellicule.consent-receipt/1",
        "event": "consentEvents/00000000-0000-0000-0000-000000000001",
        "subject": ADA,
        "revision": 7,
        "purpose": "OLDER_MEDIA",
        "type": "GIVEN",
        "event_time": "2026-03-01T12:00:00.000250Z",
        "expire_time": "2027-03-01T12:00:00.000000Z",
        "notice": "notices/" + "9" * 64,
        "notice_serving": "noticeServings/00000000-0000-0000-0000-000000000002",
        "jurisdiction": {"region_code": "US-CA", "basis": "SELF_DECLARED"},
        "age": {"band": "ADULT", "basis": "VERIFIED"},
        "policy_sha256": "8" * 64,
        "cascade_of": None,
        "older_media_start_time": "2025-01-01T00:00:00.000000Z",
    }


def test_a_receipt_is_verified_with_its_bytes_alone(receipt: Receipt) -> None:
    assert verify(receipt.canonical_json, receipt.signature, receipt.public_key)


def test_a_receipt_asked_for_again_is_the_same(receipt: Receipt) -> None:
    assert receipt == Ed25519Signer(_KEY).sign(_EVENT, subject=ADA)


def test_the_key_id_is_the_beginning_of_the_public_keys_digest(receipt: Receipt) -> None:
    assert receipt.key_id == key_id(receipt.public_key)
    assert len(receipt.key_id) == 16


@given(st.data())
def test_a_receipt_with_any_bit_flipped_fails(data: st.DataObject) -> None:
    receipt = Ed25519Signer(_KEY).sign(_EVENT, subject=ADA)
    parts = {"canonical": receipt.canonical_json, "signature": receipt.signature, "public_key": receipt.public_key}
    part = data.draw(st.sampled_from(sorted(parts)))
    flipped = bytearray(parts[part])
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    assert not verify(**{**parts, part: bytes(flipped)})


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_public_key_of_another_size_verifies_nothing(receipt: Receipt, size: int) -> None:
    assert not verify(receipt.canonical_json, receipt.signature, bytes(size))


def test_the_signer_reads_its_key_from_a_file(tmp_path: Path, receipt: Receipt) -> None:
    file = tmp_path / "receipt.pem"
    file.write_bytes(
        _KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    assert Ed25519Signer.read(file).sign(_EVENT, subject=ADA) == receipt


def _another_kind() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("content", [None, b"", b"no key", _another_kind()], ids=["missing", "empty", "text", "other"])
def test_a_file_without_such_a_key_is_refused_with_its_name_and_the_remedy(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "receipt.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(ReceiptKeyInvalid, match=r"receipt\.pem: .*openssl genpkey -algorithm ed25519"):
        Ed25519Signer.read(file)
