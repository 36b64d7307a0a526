"""What changed, told to open screens: one Valkey subscription per process, fanned out to waiting sockets and streams.

A lost message costs a heartbeat, never a fact: whoever waits asks the database again.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation.logs import log

PREFIX = "live:"
HEARTBEAT = 15.0


class Live:
    """Publishes stream names and wakes those who watch them."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._watchers: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def announce(self, streams: set[str]) -> None:
        """Say that `streams` changed."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.publish(PREFIX + stream, "")
            await pipe.execute()

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while True:
            try:
                async with self.redis.pubsub() as pubsub:
                    await pubsub.psubscribe(PREFIX + "*")
                    async for message in pubsub.listen():
                        if message["type"] == "pmessage":
                            self._wake(message["channel"].decode().removeprefix(PREFIX))
            except (RedisError, OSError) as error:
                log.warning("live_lost", error=str(error))
                await asyncio.sleep(1)

    def _wake(self, stream: str) -> None:
        for event in self._watchers.get(stream, ()):
            event.set()

    @asynccontextmanager
    async def watching(self, streams: Iterable[str]) -> AsyncIterator["Watch"]:
        """Watch `streams` for the block."""
        event, names = asyncio.Event(), list(streams)
        for name in names:
            self._watchers[name].add(event)
        try:
            yield Watch(event)
        finally:
            for name in names:
                self._watchers[name].discard(event)
                if not self._watchers[name]:
                    del self._watchers[name]


class Watch:
    """A place to wait for a change."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    async def changed(self, seconds: float = HEARTBEAT) -> bool:
        """True when something changed, False when the heartbeat came first."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
