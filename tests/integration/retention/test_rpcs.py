"""The RPCs through the whole interceptor chain: who may call, what is refused, what comes back."""

from datetime import timedelta
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.internal.retention.v1 import (
    data_key_pb2,
    key_service_pb2,
    key_service_pb2_grpc,
    purge_order_pb2,
    purge_service_pb2,
    purge_service_pb2_grpc,
)
from pellicule.retention.v1 import (
    account_pb2,
    account_service_pb2,
    account_service_pb2_grpc,
    data_map_pb2,
    erasure_pb2,
    retention_service_pb2,
    retention_service_pb2_grpc,
)
from pellicule.type.v1 import purpose_pb2
from services.chassis.channels import acting_for
from services.chassis.error_details import RemoteError, read_error
from tests.contract.retention.harness import ADA, CLOUD, DAY
from tests.integration.retention.harness import RunningRetention

CLOUD_NUMBER = purpose_pb2.PURPOSE_CLOUD_PROCESSING


def said(failure: pytest.ExceptionInfo[grpc.aio.AioRpcError]) -> RemoteError:
    return read_error(failure.value)


def at(retention: RunningRetention, ahead: timedelta) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(retention.harness.clock.now() + ahead)
    return message


def granted(retention: RunningRetention, **changes: object) -> key_service_pb2.GrantPurposeKeyRequest:
    fields = {
        "subject": ADA,
        "purpose": CLOUD_NUMBER,
        "revision": 1,
        "expire_time": at(retention, DAY),
        "decide_time": at(retention, timedelta()),
    }
    return key_service_pb2.GrantPurposeKeyRequest(**(fields | changes))  # type: ignore[arg-type]


class TestCallers:
    async def test_only_consent_grants_and_destroys_purposes(self, retention: RunningRetention) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("analysis"))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.GrantPurposeKey(granted(retention))
        assert said(refusal).reason == "CALLER_NOT_ALLOWED"
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.DestroyPurposeKeys(key_service_pb2.DestroyPurposeKeysRequest(subject=ADA))
        assert said(refusal).reason == "CALLER_NOT_ALLOWED"

    async def test_the_public_listener_knows_nothing_of_keys(self, retention: RunningRetention) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_public())
        for metadata in ((), retention.callers.bearer("ada")):
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await stub.OpenDataKeys(key_service_pb2.OpenDataKeysRequest(), metadata=metadata)
            assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED

    async def test_no_service_but_ingest_erases_for_a_person(self, retention: RunningRetention) -> None:
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_service("suggestion"))
        request = retention_service_pb2.RequestErasureRequest(request_id=str(uuid4()), everything=True)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.RequestErasure(request, metadata=acting_for(ADA))
        assert said(refusal).reason == "CALLER_NOT_ALLOWED"

    async def test_a_service_that_names_no_person_erases_no_one(self, retention: RunningRetention) -> None:
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_service("ingest"))
        request = retention_service_pb2.RequestErasureRequest(request_id=str(uuid4()), everything=True)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.RequestErasure(request)
        assert said(refusal).reason == "CALLER_NOT_ALLOWED"

    async def test_anybody_may_read_the_data_map(self, retention: RunningRetention) -> None:
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        stores = (await stub.GetDataMap(retention_service_pb2.GetDataMapRequest())).stores
        assert [store.name for store in stores] == sorted(store.name for store in stores)


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("subject", "ada@example.org"),
            ("purpose", 0),
            ("purpose", 99),
            ("revision", 0),
            ("expire_time", Timestamp()),
            ("decide_time", Timestamp()),
            ("reach_back_time", Timestamp(seconds=1)),  # of a purpose that does not reach back
        ],
    )
    async def test_a_grant_names_the_field_that_is_wrong(
        self, retention: RunningRetention, field: str, value: object
    ) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("consent"))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.GrantPurposeKey(granted(retention, **{field: value}))
        assert said(refusal).reason == "FIELD_INVALID"
        assert said(refusal).message.startswith(field)

    async def test_a_withdrawal_names_at_least_one_purpose(self, retention: RunningRetention) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("consent"))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.DestroyPurposeKeys(key_service_pb2.DestroyPurposeKeysRequest(subject=ADA, revision=1))
        assert said(refusal).message.startswith("purposes")

    async def test_keys_are_created_one_to_a_thousand_at_a_time(self, retention: RunningRetention) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("ingest"))
        for count in (0, 1001):
            keys = [data_key_pb2.DataKeySpec(delete_time=at(retention, DAY))] * count
            with pytest.raises(grpc.aio.AioRpcError) as refusal:
                await stub.CreateDataKeys(
                    key_service_pb2.CreateDataKeysRequest(subject=ADA, purpose=CLOUD_NUMBER, keys=keys)
                )
            assert said(refusal).message.startswith("keys")

    async def test_a_lineage_names_media(self, retention: RunningRetention) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("ingest"))
        keys = [data_key_pb2.DataKeySpec(delete_time=at(retention, DAY), lineage=["uploads/1"])]
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.CreateDataKeys(
                key_service_pb2.CreateDataKeysRequest(subject=ADA, purpose=CLOUD_NUMBER, keys=keys)
            )
        assert said(refusal).message.startswith("keys[0].lineage")

    async def test_a_deadline_too_far_says_how_far_is_allowed(self, retention: RunningRetention) -> None:
        await retention.harness.grant()
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("ingest"))
        keys = [data_key_pb2.DataKeySpec(delete_time=at(retention, 40 * DAY))]
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.CreateDataKeys(
                key_service_pb2.CreateDataKeysRequest(subject=ADA, purpose=CLOUD_NUMBER, keys=keys)
            )
        assert (said(refusal).reason, said(refusal).metadata["longest_days"]) == ("DEADLINE_TOO_FAR", "30")

    async def test_ids_are_uuids(self, retention: RunningRetention) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("ingest"))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.OpenDataKeys(
                key_service_pb2.OpenDataKeysRequest(subject=ADA, purpose=CLOUD_NUMBER, ids=[str(uuid4()), "7"])
            )
        assert said(refusal).message.startswith("ids[1]")

    async def test_an_erasure_needs_a_target(self, retention: RunningRetention) -> None:
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        request = retention_service_pb2.RequestErasureRequest(request_id=str(uuid4()))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.RequestErasure(request, metadata=retention.callers.bearer("ada"))
        assert said(refusal).message.startswith("target")

    @pytest.mark.parametrize(("size", "token"), [(-1, ""), (0, "next"), (0, "-1")])
    async def test_pages_are_checked(self, retention: RunningRetention, size: int, token: str) -> None:
        stub = purge_service_pb2_grpc.PurgeServiceStub(await retention.as_service("ingest"))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.ListPurgeOrders(purge_service_pb2.ListPurgeOrdersRequest(page_size=size, page_token=token))
        assert said(refusal).reason == "FIELD_INVALID"

    async def test_every_field_that_is_wrong_is_named_at_once(self, retention: RunningRetention) -> None:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("consent"))
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.GrantPurposeKey(granted(retention, subject="ada", revision=0, decide_time=Timestamp()))
        assert [each.field for each in said(refusal).violations] == ["subject", "revision", "decide_time"]

    async def test_a_page_token_belongs_to_its_list(self, retention: RunningRetention) -> None:
        ada = retention.callers.pseudonym("ada")
        for _ in range(2):
            await retention.harness.erase_everything(ada)
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        request = retention_service_pb2.ListErasuresRequest(page_size=1)
        page = await stub.ListErasures(request, metadata=retention.callers.bearer("ada"))
        again = retention_service_pb2.ListErasuresRequest(page_token=page.next_page_token)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.ListErasures(again, metadata=retention.callers.bearer("ben"))
        assert said(refusal).message.startswith("page_token")

    async def test_a_page_larger_than_the_largest_is_the_largest(self, retention: RunningRetention) -> None:
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        request = retention_service_pb2.ListErasuresRequest(page_size=100_000)
        assert not (await stub.ListErasures(request, metadata=retention.callers.bearer("ada"))).erasures

    @pytest.mark.parametrize("delay", [Duration(seconds=-1), Duration(seconds=30 * 86_400, nanos=1_000_000)])
    async def test_the_time_for_second_thoughts_has_bounds(self, retention: RunningRetention, delay: Duration) -> None:
        stub = account_service_pb2_grpc.AccountServiceStub(await retention.as_public())
        request = account_service_pb2.RequestAccountDeletionRequest(request_id=str(uuid4()), delay=delay)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.RequestAccountDeletion(request, metadata=retention.callers.bearer("ada"))
        assert said(refusal).message.startswith("delay")


class TestDataMap:
    @pytest.mark.parametrize(("code", "word"), [("", "Deleted"), ("en-US", "Deleted"), ("fr-CA", "Supprim")])
    async def test_it_is_told_in_the_language_asked_for(
        self, retention: RunningRetention, code: str, word: str
    ) -> None:
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        stores = (await stub.GetDataMap(retention_service_pb2.GetDataMapRequest(language_code=code))).stores
        (found,) = (store for store in stores if store.name == "retention.table.data_key")
        assert found.dies_by.startswith(word)
        assert found.kind == data_map_pb2.DATA_STORE_KIND_TABLE
        assert purpose_pb2.PURPOSE_LOCATION in found.purposes

    async def test_a_language_without_words_is_refused(self, retention: RunningRetention) -> None:
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.GetDataMap(retention_service_pb2.GetDataMapRequest(language_code="xx"))
        assert (said(refusal).reason, said(refusal).metadata["language_codes"]) == ("LANGUAGE_UNKNOWN", "en, fr")


class TestAccounts:
    async def test_a_person_deletes_their_account_and_follows_it_to_the_end(self, retention: RunningRetention) -> None:
        ada = retention.callers.pseudonym("ada")
        await retention.harness.grant(ada)
        [key] = await retention.harness.create([], subject=ada)
        stub = account_service_pb2_grpc.AccountServiceStub(await retention.as_public())
        bearer = retention.callers.bearer("ada")
        request = account_service_pb2.RequestAccountDeletionRequest(request_id=str(uuid4()), delay=Duration())
        begun = (await stub.RequestAccountDeletion(request, metadata=bearer)).account_deletion
        assert begun.state == account_pb2.ACCOUNT_DELETION_STATE_KEYS_DESTROYED
        assert not await retention.harness.can_open(key, subject=ada)
        await retention.harness.complete_all()
        named = account_service_pb2.GetAccountDeletionRequest(name=begun.name)
        ended = (await stub.GetAccountDeletion(named, metadata=bearer)).account_deletion
        assert ended.state == account_pb2.ACCOUNT_DELETION_STATE_COMPLETE
        assert ended.HasField("complete_time")
        assert {store.service for store in ended.stores} >= {"consent", "ingest"}

    async def test_second_thoughts_of_seven_days_are_usual_and_it_can_be_cancelled(
        self, retention: RunningRetention
    ) -> None:
        stub = account_service_pb2_grpc.AccountServiceStub(await retention.as_public())
        bearer = retention.callers.bearer("ada")
        request = account_service_pb2.RequestAccountDeletionRequest(request_id=str(uuid4()))
        scheduled = (await stub.RequestAccountDeletion(request, metadata=bearer)).account_deletion
        assert scheduled.start_time.ToDatetime() - scheduled.request_time.ToDatetime() == 7 * DAY
        collection, _, id_ = scheduled.name.partition("/")
        cancel = account_service_pb2.CancelAccountDeletionRequest(name=f"{collection}/{id_.upper()}")
        cancelled = (await stub.CancelAccountDeletion(cancel, metadata=bearer)).account_deletion
        assert cancelled.state == account_pb2.ACCOUNT_DELETION_STATE_CANCELLED

    async def test_a_request_id_is_good_for_one_request(self, retention: RunningRetention) -> None:
        stub = account_service_pb2_grpc.AccountServiceStub(await retention.as_public())
        bearer, id_ = retention.callers.bearer("ada"), str(uuid4())
        await stub.RequestAccountDeletion(
            account_service_pb2.RequestAccountDeletionRequest(request_id=id_), metadata=bearer
        )
        erasures = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await erasures.RequestErasure(
                retention_service_pb2.RequestErasureRequest(request_id=id_, everything=True), metadata=bearer
            )
        assert said(refusal).reason == "REQUEST_ID_REUSED"

    async def test_deletions_of_others_do_not_exist(self, retention: RunningRetention) -> None:
        deletion = await retention.harness.delete_account(retention.callers.pseudonym("ada"), delay=DAY)
        stub = account_service_pb2_grpc.AccountServiceStub(await retention.as_public())
        request = account_service_pb2.GetAccountDeletionRequest(name=f"accountDeletions/{deletion.id}")
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.GetAccountDeletion(request, metadata=retention.callers.bearer("ben"))
        assert said(refusal).reason == "ACCOUNT_DELETION_NOT_FOUND"


class TestErasures:
    async def test_a_person_erases_a_media_and_follows_it_to_the_end(self, retention: RunningRetention) -> None:
        ada = retention.callers.pseudonym("ada")
        await retention.harness.grant(ada)
        media = await retention.harness.media(ada)
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        bearer = retention.callers.bearer("ada")
        request = retention_service_pb2.RequestErasureRequest(request_id=str(uuid4()), media=f"media/{media}")
        begun = (await stub.RequestErasure(request, metadata=bearer)).erasure
        assert begun.state is erasure_pb2.ERASURE_STATE_KEYS_DESTROYED
        assert not any(store.HasField("purge_time") for store in begun.stores)
        for service in ("ingest", "analysis", "suggestion"):
            await self._purge(retention, service)
        ended = (
            await stub.GetErasure(retention_service_pb2.GetErasureRequest(name=begun.name), metadata=bearer)
        ).erasure
        assert ended.state is erasure_pb2.ERASURE_STATE_PURGED
        assert {store.store: store.purged_count for store in ended.stores}["ingest.bucket.media"] == 2

    async def test_erasures_of_others_do_not_exist(self, retention: RunningRetention) -> None:
        erasure = await retention.harness.erase_everything(retention.callers.pseudonym("ada"))
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        request = retention_service_pb2.GetErasureRequest(name=f"erasures/{erasure.id}")
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stub.GetErasure(request, metadata=retention.callers.bearer("ben"))
        assert said(refusal).reason == "ERASURE_NOT_FOUND"

    async def test_erasures_are_listed_by_pages(self, retention: RunningRetention) -> None:
        ada = retention.callers.pseudonym("ada")
        made = [(await retention.harness.erase_everything(ada)).id for _ in range(3)]
        stub = retention_service_pb2_grpc.RetentionServiceStub(await retention.as_public())
        listed: list[str] = []
        token = ""
        while len(listed) < 3:
            page = await stub.ListErasures(
                retention_service_pb2.ListErasuresRequest(page_size=2, page_token=token),
                metadata=retention.callers.bearer("ada"),
            )
            listed += [erasure.name for erasure in page.erasures]
            token = page.next_page_token
        assert listed == [f"erasures/{id_}" for id_ in reversed(made)]
        assert token == ""

    async def _purge(self, retention: RunningRetention, service: str) -> None:
        stub = purge_service_pb2_grpc.PurgeServiceStub(await retention.as_service(service))
        [order] = (await stub.ListPurgeOrders(purge_service_pb2.ListPurgeOrdersRequest())).orders
        stores = [purge_service_pb2.PurgedStore(store=f"{service}.bucket.media", purged_count=2)]
        await stub.CompletePurgeOrder(purge_service_pb2.CompletePurgeOrderRequest(name=order.name, stores=stores))


class TestOrders:
    async def test_orders_are_listed_by_pages_oldest_first(self, retention: RunningRetention) -> None:
        await retention.harness.grant()
        media = [await retention.harness.media() for _ in range(5)]
        for one in media:
            await retention.harness.erase(one)
        stub = purge_service_pb2_grpc.PurgeServiceStub(await retention.as_service("ingest"))
        listed: list[str] = []
        token = ""
        while True:
            page = await stub.ListPurgeOrders(purge_service_pb2.ListPurgeOrdersRequest(page_size=2, page_token=token))
            listed += [order.name for order in page.orders]
            token = page.next_page_token
            if not token:
                break
        assert listed == [f"purgeOrders/{order.id}" for order in await retention.harness.orders("ingest")]

    async def test_a_purpose_order_carries_the_fence(self, retention: RunningRetention) -> None:
        revision = await retention.harness.grant()
        await retention.harness.create([])
        await retention.harness.withdraw(ADA, CLOUD)
        stub = purge_service_pb2_grpc.PurgeServiceStub(await retention.as_service("ingest"))
        [order] = (await stub.ListPurgeOrders(purge_service_pb2.ListPurgeOrdersRequest())).orders
        assert (order.subject, order.cause) == (ADA, purge_order_pb2.PURGE_CAUSE_WITHDRAWAL)
        assert (order.purpose.purpose, order.purpose.revision) == (CLOUD_NUMBER, revision)
