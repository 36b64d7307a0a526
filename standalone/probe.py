"""The two requests a supervisor makes of its own processes on loopback; a client library would cost more than all of them."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 3.0
NOBODY = 0
"""Status of a process that does not answer."""


async def request(method: str, url: str, body: object = None) -> tuple[int, Any]:
    """Status and decoded JSON (None when there is none); status 0 when nobody answers in time."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await _exchange(method, url, b"" if body is None else json.dumps(body).encode())
    except (OSError, TimeoutError, ValueError, IndexError):
        return NOBODY, None


async def _exchange(method: str, url: str, body: bytes) -> tuple[int, Any]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(
            f"{method} {address.path} HTTP/1.1\r\nhost: {address.netloc}\r\nconnection: close\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head, _, content = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), _decoded(content)
    finally:
        writer.close()


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
