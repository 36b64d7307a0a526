"""The rooms of this node follow their visits: what the visit no longer allows ends, who is in a call is at work.

The database is asked every few seconds, and at once when Valkey says that a visit, its conversation or its video changed: a lost
message costs seconds, never a recording of somebody who thinks that the visit is over.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.encounter import queries as encounters
from backend.encounter.model import Encounter
from backend.live import PREFIX
from backend.shift import service as shifts
from backend.video.model import LookIn
from backend.video.rooms import Rooms
from backend.video.rules import GIVEN, stream
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import Conflict
from foundation.logs import log

EVERY = 3.0
SETTLE = 0.2
"""Seconds between two looks at least, however much is said in a conversation."""
ALWAYS = f"{PREFIX}video"
"""A line to listen on while there is no room; nobody speaks there."""


@dataclass(frozen=True)
class Standing:
    """What a visit allows its room. `over` is empty, or the code that the parties are told at the end."""

    stream: str
    over: str
    ends_at: datetime | None
    watchers: frozenset[str]
    """Supervisors whose permission lasts."""


def over(row: Encounter, now: datetime) -> str:
    """Why there may be no video any more; empty when there may."""
    if row.recording_consent != GIVEN:
        return "no_consent"
    try:
        encounters.require_talking(row, now)
    except Conflict as refusal:
        return "time_over" if refusal.code == "time_over" else "closed"
    return ""


async def standings(session: AsyncSession, rooms: Sequence[UUID]) -> dict[str, Standing]:
    """Of the visits that these rooms belong to; of a room without a visit nothing is known."""
    now = clock_of(session).now()
    looks = await session.execute(
        select(LookIn.encounter_id, LookIn.supervisor_id).where(
            LookIn.encounter_id.in_(rooms), LookIn.ended_at.is_(None), LookIn.ends_at > now
        )
    )
    watchers: dict[UUID, set[str]] = {}
    for room, supervisor in looks:
        watchers.setdefault(room, set()).add(str(supervisor))
    found = await session.scalars(select(Encounter).where(Encounter.id.in_(rooms)))
    return {
        str(row.id): Standing(
            row.stream, over(row, now), _ends(row, now), frozenset(watchers.get(row.id, ()))
        )
        for row in found
    }  # fmt: skip


def _ends(row: Encounter, now: datetime) -> datetime | None:
    """When the talk will be over; None while its clock stands still, which pauses make it do for a while only."""
    time = encounters.talk_time(row)
    return None if time is None or time.still(now) else time.ends(now)


class Following:
    """Looks after the rooms from `start` to `stop`."""

    def __init__(self, redis: Redis, db: Database, rooms: Rooms, warn_before: timedelta) -> None:
        self._redis = redis
        self._db = db
        self._rooms = rooms
        self._warn_before = warn_before
        self._streams: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; the rooms stay as they are."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Ask once, and do what follows from it."""
        asked_at = asyncio.get_running_loop().time()
        rooms = [UUID(room) for room in self._rooms.ids]
        if not rooms:
            self._streams = set()
            return
        async with unit_of_work(self._db) as session:
            found = await standings(session, rooms)
            await shifts.keep_in_call(session, [UUID(one) for one in self._rooms.doctors_in_call()])
            now = clock_of(session).now()
        self._streams = {
            name for room, one in found.items() for name in (one.stream, f"chat:{room}", stream(room))
        }
        for room, one in found.items():
            if one.over:
                await self._rooms.end(room, one.over)
                continue
            await self._rooms.keep_watchers(room, one.watchers, asked_at)
            left = one.ends_at - now if one.ends_at else None
            soon = left is not None and left <= self._warn_before
            self._rooms.warn(room, left.total_seconds() if left is not None and soon else None)

    async def _run(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as line:
                    await line.subscribe(ALWAYS)
                    while True:
                        await self._look_quietly()
                        await self._wait(line)
            except (RedisError, OSError) as error:
                log.warning("following_is_slow", error=str(error))
                await self._look_quietly()
                await asyncio.sleep(EVERY)

    async def _look_quietly(self) -> None:
        try:
            await self.look()
        except Exception as error:  # the call goes on without the database; the next look comes soon
            log.warning("visits_not_read", error=f"{type(error).__name__}: {error}")

    async def _wait(self, line: Any) -> None:
        """Until something changes in one of the visits, or for a while."""
        wanted = {PREFIX + name for name in self._streams} | {ALWAYS}
        heard = {name.decode() for name in line.channels}
        if gone := heard - wanted:
            await line.unsubscribe(*gone)
        if new := wanted - heard:
            await line.subscribe(*new)
        await asyncio.sleep(SETTLE)
        until = asyncio.get_running_loop().time() + EVERY
        while (left := until - asyncio.get_running_loop().time()) > 0:
            message = await line.get_message(timeout=left)
            if message is not None and message["type"] == "message":
                return
