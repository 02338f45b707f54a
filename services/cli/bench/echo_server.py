"""Bare gRPC server that a bench holds a service against: it answers with as many bytes as it is asked for.

`python -m services.cli.bench.echo_server CA CERTIFICATE KEY` prints its port, and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc

from services.chassis.certificates.renewal import Certificates
from services.chassis.clock import SystemClock
from services.chassis.settings import TlsSettings
from services.chassis.tls import internal_credentials

METHOD = "/pellicule.bench.Echo/Echo"
_COUNT_BYTES = 4


def ask(request_bytes: int, response_bytes: int) -> bytes:
    """Return a request of a size for a response of a size."""
    return response_bytes.to_bytes(_COUNT_BYTES, "big") + bytes(max(0, request_bytes - _COUNT_BYTES))


async def serve(ca: Path, certificate: Path, key: Path) -> None:
    """Serve as an internal listener does, with no chain of interceptors and nothing behind it."""
    service, method = METHOD.strip("/").split("/")
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {method: grpc.unary_unary_rpc_method_handler(_echo)}),)
    )
    settings = TlsSettings(tls_ca_file=ca, tls_cert_file=certificate, tls_key_file=key)
    own = Certificates(settings, SystemClock()).own
    port = server.add_secure_port("127.0.0.1:0", internal_credentials(own))
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


async def _echo(request: bytes, context: object) -> bytes:
    return bytes(int.from_bytes(request[:_COUNT_BYTES], "big"))


if __name__ == "__main__":
    asyncio.run(serve(*map(Path, sys.argv[1:])))
