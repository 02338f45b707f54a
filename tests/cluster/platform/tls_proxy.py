"""TLS before PostgreSQL: the server out of the wheel speaks none, and the services accept no other.

Run as `tls_proxy.py CERTIFICATE KEY PORT TARGET_PORT`. A client that does not ask for TLS first is not let in.
"""

import asyncio
import contextlib
import ssl
import sys

_TLS_WANTED = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
_CHUNK = 1 << 16


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await reader.read(_CHUNK):
            writer.write(content)
            await writer.drain()
    writer.close()


async def main(certificate: str, key: str, port: int, target: int) -> None:
    """Serve until stopped."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(_TLS_WANTED)) == _TLS_WANTED:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(context)
                to, away = await asyncio.open_connection("127.0.0.1", target)
                await asyncio.gather(_carry(reader, away), _carry(to, writer))
        writer.close()

    async with await asyncio.start_server(serve, "0.0.0.0", port, limit=_CHUNK) as server:  # noqa: S104  # a pod's
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
