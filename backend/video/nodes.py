"""Which media process keeps which room.

Each process says once a second in Valkey that it lives and which rooms it keeps. A new room goes to the live process that
wins its rendezvous hash (highest random weight: when a process comes or goes only its own rooms have to move) and stays
there while that process lives, so that both sides of a visit always meet. Valkey may be emptied at any moment: the next
heartbeat writes everything again.

```
media:node:<address>   {"rooms": 3, "capacity": 25}     3 s; gone: the process is dead or drains
media:room:<visit>     <address>                        30 s, kept up by the process that keeps the room
media:alive:<node>     1                                60 s; gone: its open recordings are somebody else's to complete
```
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from foundation.errors import Unavailable

HEARTBEAT_EVERY = 1.0
NODE_LIFE = 3
ROOM_LIFE = "30"
ALIVE_LIFE = 60

_ASSIGN = """
local now = redis.call('GET', KEYS[1])
if now == false or now == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
  return ARGV[2]
end
return now
"""
"""The room's address becomes ARGV[2] unless somebody else changed it since it was ARGV[1]."""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Load(msgspec.Struct, frozen=True):
    """What a process says about itself."""

    rooms: int
    capacity: int


def rendezvous(room: str, addresses: Iterable[str]) -> str:
    """The address that keeps `room`; the same answer for everybody who knows the same addresses."""

    def weight(address: str) -> bytes:
        return hashlib.sha256(f"{address}|{room}".encode()).digest()

    return max(addresses, key=weight)


async def address_of(redis: Redis, room_id: UUID, addresses: Sequence[str]) -> str:
    """Where the room is, or goes now. `Unavailable` when no media process of `addresses` lives."""
    key = _room_key(str(room_id))
    raw = await redis.mget([key, *map(_node_key, addresses)])
    alive = {
        address: msgspec.json.decode(load, type=Load)
        for address, load in zip(addresses, raw[1:], strict=True)
        if load
    }
    present = raw[0].decode() if raw[0] else ""
    if present in alive:
        return present
    with_room = [address for address, load in alive.items() if load.rooms < load.capacity]
    if not alive:
        raise Unavailable("视频暂时无法使用，请稍后再试，或先用文字交流", code="no_media_node")
    chosen = rendezvous(str(room_id), with_room or alive)
    assigned: Any = redis.eval(_ASSIGN, 1, key, present, chosen, ROOM_LIFE)
    return str((await assigned).decode())


async def heartbeat(redis: Redis, address: str, rooms: Sequence[str], capacity: int) -> list[str]:
    """Say that we live and keep `rooms`; those among them that live elsewhere by now."""
    load = msgspec.json.encode(Load(len(rooms), capacity))
    async with redis.pipeline(transaction=False) as pipe:
        pipe.set(_node_key(address), load, ex=NODE_LIFE)
        for room in rooms:
            pipe.eval(_ASSIGN, 1, _room_key(room), address, address, ROOM_LIFE)
        _, *owners = await pipe.execute()
    return [room for room, owner in zip(rooms, owners, strict=True) if owner.decode() != address]


async def live(redis: Redis, node: str) -> None:
    """We exist, whether anybody can be let in or not: nobody else may touch our recordings."""
    await redis.set(_alive_key(node), 1, ex=ALIVE_LIFE)


async def dead(redis: Redis, names: Sequence[str]) -> set[str]:
    """Those of `names` that have not been heard of for a while."""
    if not names:
        return set()
    found = await redis.mget([_alive_key(name) for name in names])
    return {name for name, sign in zip(names, found, strict=True) if sign is None}


async def withdraw(redis: Redis, address: str, rooms: Sequence[str] = (), *, node: bool = True) -> None:
    """We no longer keep `rooms`; with `node` nothing new may come to us at all."""
    async with redis.pipeline(transaction=False) as pipe:
        if node:
            pipe.delete(_node_key(address))
        for room in rooms:
            pipe.eval(_RELEASE, 1, _room_key(room), address)
        await pipe.execute()


def _alive_key(node: str) -> str:
    return f"media:alive:{node}"


def _node_key(address: str) -> str:
    return f"media:node:{address}"


def _room_key(room: str) -> str:
    return f"media:room:{room}"
