"""What changed, told to open screens: one Valkey subscription per process, fanned out to waiting sockets and streams.

A lost message costs a heartbeat, never a fact: whoever waits asks the database again. A whisper ("she is typing") is no fact at
all: it is passed on to whoever listens at the moment, or lost.
"""

import asyncio
import secrets
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation.logs import log

PREFIX = "live:"
HEARTBEAT = 15.0
REMEMBERED = 10_000
"""Streams whose last change is kept; past that every mark is void once."""


class Live:
    """Publishes stream names and wakes those who watch them."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._watchers: dict[str, set[Watch]] = defaultdict(set)
        self._listening = secrets.token_hex(4)
        self._heard = 0
        self._last: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def announce(self, streams: set[str]) -> None:
        """Say that `streams` changed."""
        async with self.redis.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.publish(PREFIX + stream, "")
            await pipe.execute()

    async def whisper(self, stream: str, words: str) -> None:
        """Pass `words` on to who watches `stream` now; nobody misses them."""
        with suppress(RedisError, OSError):
            await self.redis.publish(PREFIX + stream, words)

    def mark(self) -> str:
        """A point in time of this process, to ask later what changed since."""
        return f"{self._listening}.{self._heard}"

    def changed_since(self, streams: Iterable[str], mark: str) -> bool:
        """Whether one of them changed after `mark`; also when that cannot be known (another process, a lost line)."""
        listening, _, heard = mark.partition(".")
        if listening != self._listening or not heard.isdecimal():
            return True
        return any(self._last.get(stream, 0) > int(heard) for stream in streams)

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
                        if (
                            message["type"] == "psubscribe"
                        ):  # also when the client has found its line again by itself
                            self._begin()
                        elif message["type"] == "pmessage":
                            stream = message["channel"].decode().removeprefix(PREFIX)
                            self._wake(stream, message["data"].decode())
            except (RedisError, OSError) as error:
                log.warning("live_lost", error=str(error))
                await asyncio.sleep(1)

    def _forget(self) -> None:
        """What was announced before is not known: marks made until now are void."""
        self._listening, self._heard = secrets.token_hex(4), 0
        self._last.clear()

    def _begin(self) -> None:
        """What was announced while nobody listened may concern anybody: all look again."""
        self._forget()
        for watches in self._watchers.values():
            for watch in watches:
                watch.wake("")

    def _wake(self, stream: str, words: str) -> None:
        if not words:
            self._heard += 1
            self._last[stream] = self._heard
            if len(self._last) > REMEMBERED:
                self._forget()
        for watch in self._watchers.get(stream, ()):
            watch.wake(words)

    @asynccontextmanager
    async def watching(self, streams: Iterable[str]) -> AsyncIterator["Watch"]:
        """Watch `streams` for the block."""
        watch, names = Watch(), list(streams)
        for name in names:
            self._watchers[name].add(watch)
        try:
            yield watch
        finally:
            for name in names:
                self._watchers[name].discard(watch)
                if not self._watchers[name]:
                    del self._watchers[name]


@dataclass(frozen=True)
class Heard:
    """What woke a watcher: a change, whispers, or neither when the heartbeat came first."""

    changed: bool
    whispers: list[str]


class Watch:
    """A place to wait for a change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._changed = False
        self._whispers: deque[str] = deque(maxlen=8)

    def wake(self, words: str) -> None:
        """Something changed, or somebody whispered `words`."""
        if words:
            self._whispers.append(words)
        else:
            self._changed = True
        self._event.set()

    async def heard(self, seconds: float = HEARTBEAT) -> Heard:
        """What happened since the last time one asked; waits for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()
        found = Heard(self._changed, list(self._whispers))
        self._changed = False
        self._whispers.clear()
        return found

    async def changed(self, seconds: float = HEARTBEAT) -> bool:
        """True when something changed, False when the heartbeat came first; whispers are not for those who ask this."""
        return (await self.heard(seconds)).changed
