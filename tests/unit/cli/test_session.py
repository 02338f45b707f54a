"""A session file stands for a stack that does not run here, and says what is wrong with itself."""

import json
from pathlib import Path

import jwt
import pytest

from services.cli.output import UsageWrong
from services.cli.session import session_access

ADDRESSES = {"consent": "consent.example:443", "ingest": "ingest.example:443"}
TOKEN = jwt.encode({"sub": "ada"}, "a key that nobody checks here, of 32 bytes", algorithm="HS256")


def session(folder: Path, **fields: object) -> Path:
    file = folder / "session.json"
    file.write_text(json.dumps({"addresses": ADDRESSES, **fields}), encoding="utf-8")
    return file


def refusal(file: Path, subject: str = "me") -> UsageWrong:
    with pytest.raises(UsageWrong) as refused:
        session_access(file, subject, unless="me")
    return refused.value


def test_what_token_prints_is_a_session(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("PEM", encoding="utf-8")

    access = session_access(
        session(tmp_path, token=TOKEN, authority=str(tmp_path / "authority.pem")), "me", unless="me"
    )

    assert (access.addresses, access.token, access.ca_certificate) == (ADDRESSES, TOKEN, b"PEM")
    assert access.stack_runs()


def test_a_token_is_read_from_where_a_secret_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")

    access = session_access(session(tmp_path, token_file=str(tmp_path / "token")), "ada", unless="me")

    assert access.token == TOKEN
    assert access.ca_certificate is None


def test_a_token_of_no_known_kind_is_used_for_whoever_is_named(tmp_path: Path) -> None:
    assert session_access(session(tmp_path, token="opaque"), "ben", unless="me").token == "opaque"


def test_another_persons_token_is_not_used(tmp_path: Path) -> None:
    refused = refusal(session(tmp_path, token=TOKEN), "ben")

    assert (refused.reason, refused.field) == ("SUBJECT_ANOTHER", "--subject")
    assert "ada" in str(refused)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "PELLICULE_SESSION"),
        ({"token": "one", "token_file": "another"}, "PELLICULE_SESSION"),
        ({"token": "one", "addresses": {"consent": "without a port"}}, "addresses.consent"),
        ({"token": "one", "addresses": {}}, "addresses"),
        ({"token": "one", "adresses": {}}, "adresses"),
        ({"token_file": "/nowhere/token"}, "token_file"),
        ({"token": "one", "authority": "/nowhere/authority.pem"}, "authority"),
    ],
)
def test_what_is_wrong_with_a_session_is_named(tmp_path: Path, fields: dict[str, object], field: str) -> None:
    refused = refusal(session(tmp_path, **fields))

    assert (refused.reason, refused.field) == ("SESSION_UNUSABLE", field)


def test_a_session_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused = refusal(tmp_path / "session.json")

    assert (refused.reason, refused.field) == ("SESSION_UNUSABLE", "PELLICULE_SESSION")
    assert str(tmp_path / "session.json") in str(refused)
