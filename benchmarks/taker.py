"""An endpoint that takes every webhook at once, and knows which messages it was told."""

import asyncio
import re
from contextlib import asynccontextmanager, suppress

_ID = re.compile(rb"^webhook-id: (\S+)", re.MULTILINE | re.IGNORECASE)
_LENGTH = re.compile(rb"^content-length: (\d+)", re.MULTILINE | re.IGNORECASE)
_TAKEN = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def taking(taken):
    """Listen until the end, and add the id of each message to `taken`; the address to tell."""

    async def take(reader, writer):
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(_LENGTH.search(head)[1]))
            taken.add(_ID.search(head)[1])
            writer.write(_TAKEN)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, backlog=1024)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
