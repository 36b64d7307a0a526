"""Live streams passed on to the browser byte for byte: what the backend says, when it says it."""

from collections.abc import AsyncIterator, Mapping

import httpx
from starlette.responses import Response, StreamingResponse

from foundation.logs import log
from miniapp_mock.front.backend_client import Api

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
AGAIN = b"retry: 2000\n\n"
"""Milliseconds after which a browser comes back; it also makes the first byte, so that proxies open the stream."""


async def pass_events(api: Api, path: str) -> Response:
    """Server-sent events of the API; who may listen was decided there before the first byte."""
    opened = api.stream(path, {"accept": "text/event-stream"})
    upstream = await opened.__aenter__()

    async def lines() -> AsyncIterator[bytes]:
        try:
            yield AGAIN
            async for part in upstream.aiter_raw():
                yield part
        except httpx.HTTPError as error:  # the browser reconnects by itself
            log.info("stream_lost", error=type(error).__name__)
        finally:
            await opened.__aexit__(None, None, None)

    return StreamingResponse(lines(), media_type="text/event-stream", headers=HEADERS)


FILE_HEADERS = ("cache-control", "content-range", "content-length", "accept-ranges")


async def pass_file(
    api: Api, path: str, asked: Mapping[str, str] | None = None, save_as: str = ""
) -> Response:
    """A picture or a voice note, or a range of it; what the browser may take it for is said by the API alone.

    `save_as`: to be kept under this name (ASCII) instead of being shown.
    """
    opened = api.stream(path, asked)
    upstream = await opened.__aenter__()

    async def parts() -> AsyncIterator[bytes]:
        try:
            async for part in upstream.aiter_raw():
                yield part
        finally:
            await opened.__aexit__(None, None, None)

    headers = {"cache-control": "private, no-store", "content-disposition": "inline"}
    if save_as and upstream.status_code == 200:
        headers["content-disposition"] = f'attachment; filename="{save_as}"'
    headers |= {name: upstream.headers[name] for name in FILE_HEADERS if name in upstream.headers}
    media_type = upstream.headers.get("content-type", "application/octet-stream")
    return StreamingResponse(parts(), upstream.status_code, headers=headers, media_type=media_type)
