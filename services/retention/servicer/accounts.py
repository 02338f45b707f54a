"""Servicer of AccountService, for persons."""

from pellicule.retention.v1 import account_pb2, account_service_pb2, account_service_pb2_grpc
from services.chassis.calls import Context
from services.chassis.principal import current_subject
from services.retention.domain.account import AccountDeletion
from services.retention.operations.delete_account import cancel_account_deletion, request_account_deletion
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.read_account_deletion import get_account_deletion
from services.retention.translation import requests, responses

_COLLECTION = "accountDeletions"


class AccountServicer(account_service_pb2_grpc.AccountServiceServicer):
    """`pellicule.retention.v1.AccountService`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    async def RequestAccountDeletion(
        self, request: account_service_pb2.RequestAccountDeletionRequest, context: Context
    ) -> account_service_pb2.RequestAccountDeletionResponse:
        """Schedule the deletion of the caller's account."""
        request_id, delay = requests.account_deletion(request)
        deletion = await request_account_deletion(current_subject(), request_id, delay, self._dependencies)
        return account_service_pb2.RequestAccountDeletionResponse(account_deletion=await self._rendered(deletion))

    async def GetAccountDeletion(
        self, request: account_service_pb2.GetAccountDeletionRequest, context: Context
    ) -> account_service_pb2.GetAccountDeletionResponse:
        """Return a deletion of the caller's account."""
        deletion = requests.resource(request.name, _COLLECTION)
        found, stores = await get_account_deletion(current_subject(), deletion, self._dependencies)
        return account_service_pb2.GetAccountDeletionResponse(
            account_deletion=responses.account_deletion(found, stores)
        )

    async def CancelAccountDeletion(
        self, request: account_service_pb2.CancelAccountDeletionRequest, context: Context
    ) -> account_service_pb2.CancelAccountDeletionResponse:
        """Cancel a deletion that has not begun."""
        deletion = requests.resource(request.name, _COLLECTION)
        cancelled = await cancel_account_deletion(current_subject(), deletion, self._dependencies)
        return account_service_pb2.CancelAccountDeletionResponse(account_deletion=await self._rendered(cancelled))

    async def _rendered(self, deletion: AccountDeletion) -> account_pb2.AccountDeletion:
        found, stores = await get_account_deletion(deletion.subject, deletion.id, self._dependencies)
        return responses.account_deletion(found, stores)
