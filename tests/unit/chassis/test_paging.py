import base64
import dataclasses

import pytest

from services.chassis.errors import FieldInvalid
from services.chassis.paging import Page, PageQuery, decode_page_token, encode_page_token, page_size

QUERY = PageQuery("ListMedia", "ab" * 16, ("favorite", "capture_time"))
TOKEN = encode_page_token(QUERY, ("2026-01-01T00:00:00Z", "é"))


@pytest.mark.parametrize(("asked", "got"), [(0, 100), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)])
def test_a_page_size_is_coerced(asked: int, got: int) -> None:
    assert page_size(asked, default=100, most=1000) == got


def test_a_negative_page_size_is_refused() -> None:
    with pytest.raises(FieldInvalid, match="page_size"):
        page_size(-1, default=100, most=1000)


def test_a_token_gives_its_cursor_back() -> None:
    assert decode_page_token(TOKEN, QUERY) == ("2026-01-01T00:00:00Z", "é")


def test_no_token_is_the_first_page() -> None:
    assert decode_page_token("", QUERY) is None


def test_a_token_can_stand_in_a_url() -> None:
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(QUERY, list_name="ListUploads"),
        dataclasses.replace(QUERY, subject="cd" * 16),
        dataclasses.replace(QUERY, what=("favorite",)),
        dataclasses.replace(QUERY, what=("favorite,capture_time",)),
    ],
)
def test_a_token_of_another_list_is_refused(other: PageQuery) -> None:
    with pytest.raises(FieldInvalid, match="page_token"):
        decode_page_token(TOKEN, other)


@pytest.mark.parametrize(
    "garbage",
    [
        "100",
        "!",
        "é",
        " ",
        "A",
        "=" * 8,
        TOKEN[:-1],
        f"{TOKEN}A",
        "A" * 100_000,
        base64.urlsafe_b64encode(b"\x01" + bytes(12) + b"[]").decode(),
    ],
)
def test_garbage_is_refused(garbage: str) -> None:
    with pytest.raises(FieldInvalid, match="page_token"):
        decode_page_token(garbage, QUERY)


def test_an_altered_cursor_is_refused() -> None:
    raw = base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    altered = base64.urlsafe_b64encode(raw.replace(b"2026", b"2027")).decode().rstrip("=")
    with pytest.raises(FieldInvalid, match="page_token"):
        decode_page_token(altered, QUERY)


def test_a_page_makes_the_token_of_the_next_one() -> None:
    assert decode_page_token(Page(10, None, QUERY).next_token("7", "x"), QUERY) == ("7", "x")
