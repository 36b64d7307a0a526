"""Live refresh: a stream that says "something changed", and the page fetches itself again."""

from collections.abc import AsyncIterator, Collection

from starlette.responses import Response, StreamingResponse

from backend.live import Live

CHANGED, HEARTBEAT = b"event: changed\ndata: {}\n\n", b": heartbeat\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def stream(live: Live, names: Collection[str], since: str) -> Response:
    """Server-sent events: one now if something changed while the page was on its way, one after each change; comments as heartbeats."""

    async def lines() -> AsyncIterator[bytes]:
        async with live.watching(names) as watch:
            yield CHANGED if live.changed_since(names, since) else HEARTBEAT
            while True:
                yield CHANGED if await watch.changed() else HEARTBEAT

    return StreamingResponse(lines(), media_type="text/event-stream", headers=HEADERS)
