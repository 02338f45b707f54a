from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.chassis.errors import FieldInvalid
from services.chassis.fields import Fields
from services.chassis.paging import PageQuery, encode_page_token
from services.ingest.domain.media import BATCH_FILE_LIMIT, PageStart
from services.ingest.domain.media_list import MediaFilter, MediaOrder, MediaQuery
from services.ingest.operations.update_media import OwnerMarks
from services.ingest.translation import requests

SHA256 = b"s" * 32

SOME_ID = "0ba7a608-6f05-458a-9c4d-9d686ae91a20"


def summary(client_id: str, **changes: object) -> media_pb2.AssetSummary:
    described: dict[str, object] = {"client_id": client_id, "sha256": SHA256, "size_bytes": 10}
    return media_pb2.AssetSummary(**{**described, **changes})  # type: ignore[arg-type]


def start(**changes: object) -> media_service_pb2.StartUploadRequest:
    described: dict[str, object] = {
        "request_id": str(uuid4()),
        "asset": summary("a"),
        "form": media_pb2.MEDIA_FORM_ORIGINAL,
        "size_bytes": 10,
        "sha256": SHA256,
    }
    return media_service_pb2.StartUploadRequest(**{**described, **changes})  # type: ignore[arg-type]


def violated(call: object, *arguments: object) -> list[str]:
    with pytest.raises(FieldInvalid) as refused, Fields() as fields:
        call(*arguments, fields)  # type: ignore[operator]
    return [violation.field for violation in refused.value.violations]


class TestPlanning:
    def test_an_asset_that_cannot_be_used_does_not_spoil_the_plan(self) -> None:
        request = media_service_pb2.PlanUploadsRequest(
            assets=[summary("good"), summary("bad", sha256=b"short", width=-1), summary("also good")]
        )
        assets, invalid = requests.assets_to_plan(request)
        assert [asset.client_id for asset in assets] == ["good", "also good"]
        [item] = invalid
        assert (item.client_id, item.action, item.reason) == (
            "bad",
            media_pb2.PLAN_ACTION_SKIP,
            media_pb2.PLAN_REASON_INVALID,
        )
        assert [violation.field for violation in item.violations] == ["sha256", "width"]

    def test_a_name_is_kept_as_it_is_and_one_that_is_too_long_costs_its_asset_alone(self) -> None:
        request = media_service_pb2.PlanUploadsRequest(
            assets=[summary("odd", file_name="\x1b[31m\u202egpj.exe\n"), summary("long", file_name="x" * 1025)]
        )
        [odd], [item] = requests.assets_to_plan(request)
        assert odd.file_name == "\x1b[31m\u202egpj.exe\n"
        assert [violation.field for violation in item.violations] == ["file_name"]

    @given(seconds=st.integers(-(2**63), 2**63 - 1), nanos=st.integers(-(2**31), 2**31 - 1), size=st.integers(-5, 5))
    def test_no_asset_however_odd_costs_the_others_their_plan(self, seconds: int, nanos: int, size: int) -> None:
        odd = summary("odd", capture_time=Timestamp(seconds=seconds, nanos=nanos), width=size, height=-size)
        request = media_service_pb2.PlanUploadsRequest(assets=[odd, summary("good")])
        assets, invalid = requests.assets_to_plan(request)
        assert sorted([each.client_id for each in assets] + [each.client_id for each in invalid]) == ["good", "odd"]
        assert "good" in {each.client_id for each in assets}

    def test_the_second_asset_of_a_name_is_invalid(self) -> None:
        request = media_service_pb2.PlanUploadsRequest(assets=[summary("a"), summary("a")])
        assets, [item] = requests.assets_to_plan(request)
        assert (len(assets), item.violations[0].field) == (1, "client_id")

    def test_too_many_assets_are_refused(self) -> None:
        request = media_service_pb2.PlanUploadsRequest(assets=[summary("a")] * 1001)
        with pytest.raises(FieldInvalid):
            requests.assets_to_plan(request)


class TestStarting:
    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        broken = start(request_id="42", form=0, sha256=b"short", asset=summary("a", height=-1))
        assert violated(requests.start, broken) == ["request_id", "asset.height", "form", "sha256", "sha256"]

    def test_a_uuid_in_any_case_is_one(self) -> None:
        request_id = uuid4()
        with Fields() as fields:
            found, _ = requests.start(start(request_id=str(request_id).upper()), fields)
        assert found == request_id

    def test_of_an_original_the_announcement_is_that_of_the_asset(self) -> None:
        assert violated(requests.start, start(size_bytes=11, sha256=b"t" * 32)) == ["sha256", "size_bytes"]

    def test_a_file_for_a_batch_is_small(self) -> None:
        size = BATCH_FILE_LIMIT + 1
        large = start(size_bytes=size, asset=summary("a", size_bytes=size))
        assert violated(requests.small_file, large) == ["size_bytes"]


class TestPages:
    QUERY = PageQuery("ListMedia", "subject")

    def test_a_page_size_is_coerced(self) -> None:
        sizes = [
            requests.page(media_service_pb2.ListMediaRequest(page_size=size), self.QUERY)[0].size
            for size in (0, 7, 100_000)
        ]
        assert sizes == [100, 7, 1000]

    @pytest.mark.parametrize("cursor", [(), ("now", SOME_ID), ("2026-03-01T12:00:00+00:00", "42")], ids=str)
    def test_a_token_that_names_no_place_is_refused(self, cursor: tuple[str, ...]) -> None:
        token = encode_page_token(self.QUERY, cursor)
        with pytest.raises(FieldInvalid, match="page_token"):
            requests.page(media_service_pb2.ListMediaRequest(page_token=token), self.QUERY)


class TestLists:
    def test_an_order_may_be_written_with_more_spaces(self) -> None:
        _, _, query = requests.media_list(
            media_service_pb2.ListMediaRequest(order_by=" capture_time  desc "), "subject"
        )
        assert query.order is MediaOrder.NEWEST_CAPTURE

    def test_without_a_filter_hidden_media_are_left_out(self) -> None:
        _, _, query = requests.media_list(media_service_pb2.ListMediaRequest(), "subject")
        assert query == MediaQuery(MediaFilter(hidden=False), MediaOrder.NEWEST_UPLOAD)

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        wanted = media_pb2.MediaFilter(hidden=True, include_hidden=True, form=9)  # type: ignore[arg-type]
        wanted.capture_start_time.FromSeconds(10)
        wanted.capture_end_time.FromSeconds(10)
        request = media_service_pb2.ListMediaRequest(page_size=-1, page_token="x", order_by="size", filter=wanted)
        with pytest.raises(FieldInvalid) as refused:
            requests.media_list(request, "subject")
        assert [violation.field for violation in refused.value.violations] == [
            "page_size",
            "page_token",
            "order_by",
            "filter.include_hidden",
            "filter.capture_end_time",
            "filter.form",
        ]

    @pytest.mark.parametrize(
        "other",
        [
            media_service_pb2.ListMediaRequest(order_by="upload_time"),
            media_service_pb2.ListMediaRequest(filter=media_pb2.MediaFilter(favorite=False)),
        ],
        ids=["order", "filter"],
    )
    def test_a_token_belongs_to_its_query(self, other: media_service_pb2.ListMediaRequest) -> None:
        page, _, _ = requests.media_list(media_service_pb2.ListMediaRequest(), "subject")
        token = requests.next_token(page, PageStart(datetime(2026, 3, 1, tzinfo=UTC), uuid4()))
        assert requests.media_list(media_service_pb2.ListMediaRequest(page_token=token), "subject")
        other.page_token = token
        with pytest.raises(FieldInvalid, match="page_token"):
            requests.media_list(other, "subject")


class TestUpdates:
    MEDIA = media_pb2.Media(name=f"media/{SOME_ID}", favorite=True)

    @pytest.mark.parametrize(
        ("paths", "marks"),
        [
            ([], OwnerMarks(favorite=True, hidden=False)),
            (["favorite"], OwnerMarks(favorite=True)),
            (["hidden"], OwnerMarks(hidden=False)),
            (["hidden", "favorite"], OwnerMarks(favorite=True, hidden=False)),
        ],
        ids=str,
    )
    def test_the_mask_says_what_changes(self, paths: list[str], marks: OwnerMarks) -> None:
        request = media_service_pb2.UpdateMediaRequest(media=self.MEDIA, update_mask=FieldMask(paths=paths))
        assert requests.media_to_update(request) == (UUID(SOME_ID), marks, None)

    def test_what_its_owner_cannot_change_is_refused(self) -> None:
        request = media_service_pb2.UpdateMediaRequest(
            media=media_pb2.Media(name="42"), update_mask=FieldMask(paths=["hidden", "width"]), request_id="42"
        )
        with pytest.raises(FieldInvalid) as refused:
            requests.media_to_update(request)
        fields = [violation.field for violation in refused.value.violations]
        assert fields == ["media.name", "update_mask", "request_id"]
