import json
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pellicule.consent.v1 import consent_pb2
from services.cli.consent.receipts import row, verified
from services.cli.output import CommandFailed

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
STATED: dict[str, str | int] = {"purpose": "LOCATION", "revision": 3, "type": "GIVEN"}


def pem(folder: Path, key: Ed25519PrivateKey | X25519PrivateKey, name: str = "key.pem") -> Path:
    file = folder / name
    file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return file


def receipt(content: bytes, signer: Ed25519PrivateKey = SIGNER) -> consent_pb2.ConsentReceipt:
    own_key = signer.public_key().public_bytes_raw()
    return consent_pb2.ConsentReceipt(canonical_json=content, signature=signer.sign(content), public_key=own_key)


def saved(folder: Path, kept: consent_pb2.ConsentReceipt) -> Path:
    file = folder / "receipt.json"
    file.write_text(json.dumps(row(kept)))
    return file


def reason(file: Path, key: Path) -> str:
    with pytest.raises(CommandFailed) as caught:
        verified(file, key)
    assert caught.value.field
    return caught.value.reason


def test_a_receipt_says_what_was_signed(tmp_path: Path) -> None:
    assert verified(saved(tmp_path, receipt(rfc8785.dumps(STATED))), pem(tmp_path, SIGNER)) == STATED


def test_a_receipt_with_a_key_of_its_own_proves_nothing(tmp_path: Path) -> None:
    forged = receipt(rfc8785.dumps(STATED), Ed25519PrivateKey.generate())
    assert reason(saved(tmp_path, forged), pem(tmp_path, SIGNER)) == "RECEIPT_FORGED"


def test_every_altered_bit_is_noticed(tmp_path: Path) -> None:
    content, key = rfc8785.dumps(STATED), pem(tmp_path, SIGNER)
    for place in range(len(content) * 8):
        altered = bytearray(content)
        altered[place // 8] ^= 1 << place % 8
        kept = consent_pb2.ConsentReceipt(canonical_json=bytes(altered), signature=SIGNER.sign(content))
        assert reason(saved(tmp_path, kept), key) == "RECEIPT_FORGED"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"signature": 1, "canonical_json": "e30="}', b"\xff"]
)
def test_what_is_no_receipt_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(content)
    assert reason(file, pem(tmp_path, SIGNER)) == "RECEIPT_UNREADABLE"


@pytest.mark.parametrize("content", [b'{"b":1,"a":2}', b'{"a": 1}', b"[]", b"[" * 100_000])
def test_what_is_signed_but_no_canonical_statement_is_no_receipt(tmp_path: Path, content: bytes) -> None:
    assert reason(saved(tmp_path, receipt(content)), pem(tmp_path, SIGNER)) == "RECEIPT_UNREADABLE"


def test_a_key_of_another_kind_is_named(tmp_path: Path) -> None:
    file = saved(tmp_path, receipt(rfc8785.dumps(STATED)))
    assert reason(file, pem(tmp_path, X25519PrivateKey.generate())) == "KEY_UNREADABLE"
    (tmp_path / "key.pem").write_text("nothing")
    assert reason(file, tmp_path / "key.pem") == "KEY_UNREADABLE"
