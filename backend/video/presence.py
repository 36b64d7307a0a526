"""This media process says that it lives, and notices when one of its rooms has gone to another."""

import asyncio
import contextlib

from redis.asyncio import Redis
from redis.exceptions import RedisError

from backend.video import nodes
from backend.video.rooms import Rooms
from foundation.logs import log


class Presence:
    """Heartbeats from `start` to `stop`; none while the engine cannot take anybody."""

    def __init__(self, redis: Redis, address: str, rooms: Rooms, capacity: int, node: str) -> None:
        self._redis = redis
        self._address = address
        self._rooms = rooms
        self._capacity = capacity
        self._node = node
        self._beating: asyncio.Task[None] | None = None
        self._withdrawn = True

    def start(self) -> None:
        """Begin."""
        self._beating = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Nothing new comes to us from now on; the rooms may go elsewhere."""
        if self._beating is None:
            return
        beating, self._beating = self._beating, None
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        await self._withdraw(self._rooms.ids)

    async def _beat(self) -> None:
        while True:
            try:
                await nodes.live(self._redis, self._node)
                if self._rooms.healthy:
                    await self._say()
                elif not self._withdrawn:
                    await self._withdraw(self._rooms.ids)
            except Exception as error:  # calls go on without Valkey; the next beat tells it again
                log.warning("heartbeat_failed", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(nodes.HEARTBEAT_EVERY)

    async def _say(self) -> None:
        self._withdrawn = False
        for room in await nodes.heartbeat(self._redis, self._address, self._rooms.ids, self._capacity):
            log.warning("room_is_elsewhere", room=room)
            await self._rooms.move(room)

    async def _withdraw(self, rooms: list[str]) -> None:
        self._withdrawn = True
        try:
            await nodes.withdraw(self._redis, self._address, rooms)
        except (RedisError, OSError) as error:
            log.warning("withdrawal_failed", error=str(error))
