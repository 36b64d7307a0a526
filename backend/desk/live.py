"""Live refresh: a stream that says "something changed", and the page fetches itself again."""

from collections.abc import AsyncIterator, Iterable

from starlette.responses import Response, StreamingResponse

from backend.live import Live

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def stream(live: Live, names: Iterable[str]) -> Response:
    """Server-sent events: one now, one after each change, comments as heartbeats."""

    async def lines() -> AsyncIterator[bytes]:
        async with live.watching(names) as watch:
            while True:
                yield b"event: changed\ndata: {}\n\n"
                while not await watch.changed():
                    yield b": heartbeat\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers=HEADERS)
