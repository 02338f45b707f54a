from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import pytest
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.errors import FieldInvalid
from services.chassis.fields import Fields
from services.chassis.languages import LanguageUnknown
from services.chassis.paging import PageQuery, encode_page_token
from services.chassis.resource_names import parse

ID = UUID("8c7d0f2e-4f1c-4b8e-9d55-2f6f0a2b1c3d")
QUERY = PageQuery("ListMedia", "ab" * 16)


def _enum() -> EnumDescriptor:
    file = FileDescriptorProto(name="label.proto")
    label = file.enum_type.add(name="Label")
    for number, name in enumerate(("LABEL_UNSPECIFIED", "LABEL_OPTIONAL", "LABEL_REPEATED")):
        label.value.add(name=name, number=number)
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindEnumTypeByName("Label")


LABEL = _enum()


@dataclass(frozen=True)
class Paged:
    page_size: int = 0
    page_token: str = ""


class Label(StrEnum):
    OPTIONAL = "OPTIONAL"
    REPEATED = "REPEATED"


def violations(parse: Callable[[Fields], object]) -> list[str]:
    """Return the fields that a block refuses."""
    with pytest.raises(FieldInvalid) as error, Fields() as fields:
        parse(fields)
    return [each.field for each in error.value.violations]


def test_every_violation_of_a_request_is_in_one_error() -> None:
    def everything(fields: Fields) -> None:
        fields.uuid("x", "request_id")
        fields.resource("uploads/1", "name", "media")
        fields.text("a" * 11, "file_name", most=10)
        fields.number(-1, "size_bytes")
        fields.sha256(b"", "sha256")
        fields.time(Timestamp(seconds=2**60), "capture_time")
        fields.enum(7, "label", LABEL, Label)
        fields.language("de")
        fields.page(Paged(-1, "x"), QUERY, default=10, most=100)
        fields.many([1, 2], "assets", most=1)
        fields.cursor("x", QUERY)

    assert violations(everything) == [
        "request_id",
        "name",
        "file_name",
        "size_bytes",
        "sha256",
        "capture_time",
        "label",
        "language_code",
        "page_size",
        "page_token",
        "assets",
        "cursor",
    ]


def test_a_language_that_alone_is_wrong_has_a_reason_of_its_own() -> None:
    with pytest.raises(LanguageUnknown) as error, Fields() as fields:
        fields.language("de")
    assert [each.field for each in error.value.violations] == ["language_code"]


def test_a_cursor_belongs_to_its_feed_and_person() -> None:
    cursor = encode_page_token(QUERY, ("1", "2", "3"))
    with Fields() as fields:
        assert fields.cursor(cursor, QUERY) == cursor
    with pytest.raises(FieldInvalid, match="cursor: send a cursor of this feed"), Fields() as fields:
        fields.cursor(cursor, PageQuery(QUERY.list_name, "another"))


def test_a_cursor_may_be_left_out() -> None:
    with Fields() as fields:
        assert fields.cursor("", QUERY) == ""


def test_a_request_without_a_violation_passes() -> None:
    with Fields() as fields:
        page = fields.page(Paged(5000, encode_page_token(QUERY, ("a",))), QUERY, default=10, most=100)
        found = (
            fields.uuid(str(ID), "request_id"),
            fields.resource(f"media/{ID}", "name", "media"),
            fields.text("é", "file_name", most=1),
            fields.sha256(b"a" * 32, "sha256"),
            fields.fixed_bytes(b"abc", "tag", 3),
            fields.enum(2, "label", LABEL, Label),
            fields.language("fr-CA"),
            fields.time(Timestamp(), "time"),
        )
    assert (page.size, page.cursor) == (100, ("a",))
    assert found == (ID, ID, "é", b"a" * 32, b"abc", Label.REPEATED, "fr", datetime(1970, 1, 1, tzinfo=UTC))


def test_ids_are_read_in_any_case() -> None:
    with Fields() as fields:
        assert fields.uuid(str(ID).upper(), "request_id") == ID
        assert fields.resource(f"media/{ID}".upper().replace("MEDIA", "media"), "name", "media") == ID


@pytest.mark.parametrize("value", ["", ID.hex, f"{{{ID}}}", f"urn:uuid:{ID}", f" {ID}", f"{ID}\n", "é" * 36])
def test_a_uuid_in_another_form_is_refused(value: str) -> None:
    with pytest.raises(FieldInvalid), Fields() as fields:
        fields.uuid(value, "request_id")


def test_a_longer_name_gives_its_parts_in_canonical_form() -> None:
    name = f"suggestions/{str(ID).upper()}/renditions/2"
    assert parse(name, "suggestions/{uuid}/renditions/{number}") == (str(ID), "2")
    assert parse("policyEditions/2026-1", "policyEditions/{word}") == ("2026-1",)
    assert parse("notices/" + "AB" * 32, "notices/{sha256}") == ("ab" * 32,)


@pytest.mark.parametrize("number", ["0", "01", "-1", "1" * 10, ""])
def test_a_name_that_does_not_fit_is_none(number: str) -> None:
    assert parse(f"suggestions/{ID}/renditions/{number}", "suggestions/{uuid}/renditions/{number}") is None


@pytest.mark.parametrize("time", [datetime(1825, 12, 31, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)])
def test_a_time_that_nobody_can_mean_is_refused(time: datetime) -> None:
    message = Timestamp()
    message.FromDatetime(time)
    with pytest.raises(FieldInvalid, match="year 1826 to year 2199"), Fields() as fields:
        fields.time(message, "capture_time")


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1b", "\x7f", "\x85", "\u202e", "\u2066"])
def test_a_text_with_a_control_character_is_refused(character: str) -> None:
    with pytest.raises(FieldInvalid, match=f"U\\+{ord(character):04X}"), Fields() as fields:
        fields.text(f"a{character}", "file_name", most=10)


def test_a_text_may_have_tabs_line_ends_and_marks_of_direction() -> None:
    text = "a\tb\r\nc\u200f\u200e"
    with Fields() as fields:
        assert fields.text(text, "file_name", most=10) == text


def test_an_enum_s_zero_is_refused_unless_it_is_a_member() -> None:
    with pytest.raises(FieldInvalid, match="LABEL_OPTIONAL, LABEL_REPEATED"), Fields() as fields:
        fields.enum(0, "label", LABEL, Label)


def test_a_time_before_a_bound_is_refused() -> None:
    with pytest.raises(FieldInvalid, match="after 1970"), Fields() as fields:
        fields.time(Timestamp(), "time", after=datetime(1970, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("time", [datetime(1826, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999999, UTC)])
def test_the_first_and_the_last_time_are_times(time: datetime) -> None:
    message = Timestamp()
    message.FromDatetime(time)
    with Fields() as fields:
        assert fields.time(message, "time") == time


def test_a_violation_inside_a_repeated_field_says_where() -> None:
    def assets(fields: Fields) -> None:
        for asset, value in fields.each(["a", "bb", "cc"], "assets", most=10):
            asset.within("name").text(value, "given", most=1)

    assert violations(assets) == ["assets[1].name.given", "assets[2].name.given"]


def test_too_many_are_refused_unread() -> None:
    assert violations(lambda fields: [*fields.each(["bb", "cc"], "assets", most=1)]) == ["assets"]


def test_what_a_stand_in_breaks_is_no_failure_of_its_own() -> None:
    assert violations(lambda fields: 1 // (fields.number(0, "size_bytes", least=1) - 1)) == ["size_bytes"]


def test_a_violation_raised_by_others_joins() -> None:
    def by_others(fields: Fields) -> None:
        fields.uuid("", "request_id")
        raise FieldInvalid.of("name", "send one")

    assert violations(by_others) == ["request_id", "name"]


def test_a_failure_without_a_violation_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), Fields():
        raise ZeroDivisionError
