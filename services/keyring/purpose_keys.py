"""Keys of purposes: what a consent decision creates and destroys. For the consent service alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import grpc

from pellicule.internal.retention.v1 import key_service_pb2, key_service_pb2_grpc
from services.keyring import translation
from services.keyring.errors import PurposeNotGranted


class PurposeKeys(Protocol):
    """Creates and destroys the keys of purposes."""

    async def grant(
        self,
        *,
        subject: str,
        purpose: str,
        revision: int,
        expire_time: datetime,
        decide_time: datetime,
        reach_back_time: datetime | None = None,
    ) -> int:
        """Create the key of a purpose, or prolongs the one that exists; repeating it changes nothing.

        Args:
            subject: The person's pseudonym.
            purpose: Name of the purpose, such as "LOCATION".
            revision: The consent revision of the decision.
            expire_time: When the grant ends by itself; aware.
            decide_time: When the person decided; aware.
            reach_back_time: OLDER_MEDIA only: the grant covers media taken then or later; None is without bound.

        Returns:
            The fencing number of the key.

        Raises:
            GrantStale: a later decision about this purpose is known already.
            PersonErased: the person was erased after they decided.
            DependencyUnavailable: the retention service does not answer.
        """

    async def destroy(self, *, subject: str, purposes: Sequence[str], revision: int) -> int:
        """Destroy the keys of purposes; what does not exist is no error.

        After it has returned nothing of these purposes can be opened, unless it returns a later revision.

        Args:
            subject: The person's pseudonym.
            purposes: Names of purposes; at least one.
            revision: The consent revision of the withdrawal: keys granted at a later one stay.

        Returns:
            The highest consent revision of the person that is known, this one included.

        Raises:
            DependencyUnavailable: the retention service does not answer.
        """

    async def lives(self, *, subject: str, purpose: str) -> bool:
        """Tell whether the key of a purpose exists and can be opened.

        Raises:
            DependencyUnavailable: the retention service does not answer.
        """


class RetentionPurposeKeys:
    """Implements `PurposeKeys` over an mTLS channel to the retention service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = key_service_pb2_grpc.KeyServiceStub(channel)

    async def grant(
        self,
        *,
        subject: str,
        purpose: str,
        revision: int,
        expire_time: datetime,
        decide_time: datetime,
        reach_back_time: datetime | None = None,
    ) -> int:
        """Create or prolongs the key of a purpose (`PurposeKeys.grant`)."""
        request = key_service_pb2.GrantPurposeKeyRequest(
            subject=subject,
            purpose=translation.purpose_number(purpose),
            revision=revision,
            expire_time=translation.timestamp(expire_time),
            decide_time=translation.timestamp(decide_time),
            reach_back_time=None if reach_back_time is None else translation.timestamp(reach_back_time),
        )
        try:
            return (await self._stub.GrantPurposeKey(request)).purpose_revision
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error

    async def destroy(self, *, subject: str, purposes: Sequence[str], revision: int) -> int:
        """Destroy the keys of purposes (`PurposeKeys.destroy`)."""
        request = key_service_pb2.DestroyPurposeKeysRequest(
            subject=subject, purposes=map(translation.purpose_number, purposes), revision=revision
        )
        try:
            response = await self._stub.DestroyPurposeKeys(request)
        except grpc.aio.AioRpcError as error:
            raise translation.keyring_error(error) from error
        return max(revision, response.latest_revision)

    async def lives(self, *, subject: str, purpose: str) -> bool:
        """Tell whether the key of a purpose exists (`PurposeKeys.lives`)."""
        request = key_service_pb2.GetPurposeKeyRequest(subject=subject, purpose=translation.purpose_number(purpose))
        try:
            await self._stub.GetPurposeKey(request)
        except grpc.aio.AioRpcError as error:
            refusal = translation.keyring_error(error)
            if isinstance(refusal, PurposeNotGranted):
                return False
            raise refusal from error
        return True
