from uuid import uuid4

import pytest

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.chassis.errors import FieldInvalid
from services.chassis.fields import Fields
from services.chassis.paging import PageQuery, encode_page_token
from services.ingest.domain.media import BATCH_FILE_LIMIT
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
