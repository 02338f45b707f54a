"""Servicers of retention: parse, operate, render; what services ask for apart from what persons do."""

import grpc

from pellicule.internal.retention.v1 import key_service_pb2_grpc, purge_service_pb2_grpc
from pellicule.retention.v1 import account_service_pb2_grpc, retention_service_pb2_grpc
from services.retention.operations.dependencies import Dependencies
from services.retention.servicer.accounts import AccountServicer
from services.retention.servicer.erasures import RetentionServicer
from services.retention.servicer.keys import KeyServicer
from services.retention.servicer.orders import PurgeServicer


def register(server: grpc.aio.Server, dependencies: Dependencies) -> None:
    """Add what persons may call to a server."""
    retention_service_pb2_grpc.add_RetentionServiceServicer_to_server(RetentionServicer(dependencies), server)
    account_service_pb2_grpc.add_AccountServiceServicer_to_server(AccountServicer(dependencies), server)


def register_internal(server: grpc.aio.Server, dependencies: Dependencies) -> None:
    """Add what services alone may call to a server."""
    key_service_pb2_grpc.add_KeyServiceServicer_to_server(KeyServicer(dependencies), server)
    purge_service_pb2_grpc.add_PurgeServiceServicer_to_server(PurgeServicer(dependencies), server)
