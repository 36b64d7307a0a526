"""Server-sent events that tell the whole present state: first at once, then after each change.

Whoever reconnects is told everything again, so nothing that was missed matters and `Last-Event-ID` need not be read; the id
only says how fresh a snapshot is.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from backend.context import Context
from foundation.actor import NOBODY, Actor
from foundation.db.calls import Identify
from foundation.errors import Unauthenticated

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
Look = Callable[[], Awaitable[Any]]
"""The present state, as anything that JSON can say."""
Names = Callable[[], Awaitable[Sequence[str]]]
"""The streams whose changes matter, as of now."""
Still = Callable[[], Awaitable[bool]]
"""Whether the listener may go on."""


async def listener(identify: Identify, request: Request, role: str) -> Actor:
    """Who listens; refused before the first byte."""
    actor = await identify(request)
    if actor is NOBODY:
        raise Unauthenticated
    actor.need(role)
    return actor


async def always() -> bool:
    """Who may listen once may listen on."""
    return True


def snapshots(
    context: Context, names: Iterable[str], event: str, look: Look, still: Still = always
) -> Response:
    """A stream of `event`s with what `look` sees, now and whenever one of the streams `names` changes; see `following`."""
    fixed = list(names)

    async def same() -> Sequence[str]:
        return fixed

    return following(context, same, event, look, still)


def following(context: Context, names: Names, event: str, look: Look, still: Still = always) -> Response:
    """The same where the streams themselves may become others: they are asked for again after each change.

    They are asked for once more when they are watched, so that no change falls between the question and the watch.
    The stream ends when whoever listens may not any more: `still` is asked before each word.
    """

    async def lines() -> AsyncIterator[bytes]:
        while True:
            watched = await names()
            async with context.live.watching(watched) as watch:
                while await names() == watched:
                    if not await still():
                        return
                    mark = int(context.clock.now().timestamp() * 1000)
                    data = msgspec.json.encode(await look())
                    yield f"id: {mark}\nevent: {event}\ndata: ".encode() + data + b"\n\n"
                    while not await watch.changed():
                        if not await still():
                            return
                        yield b": heartbeat\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers=HEADERS)
