"""Tickets of a draw in Valkey: one round trip each way, sealed, gone after minutes. Losing them costs a draw, never a place.

After a release the first `draw_seconds` belong to the draw. `enter` keeps one ticket per person and account; whoever comes
while places are given lines up behind, in the order of arrival. Once a draw is done, or when Valkey has nothing (emptied,
restarted, away), booking is first come, first served, and the database alone keeps it right.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation.db.columns import keyring
from foundation.logs import log

LIFE = 900
"""Seconds that tickets and results are kept."""
MOST = 50_000
"""Tickets of one draw; more than any doctor's patients."""
PATIENCE = 0.5
FIELD = "draw.ticket"


@dataclass(frozen=True)
class Release:
    """One release of one doctor's day: what a draw is about."""

    practitioner_id: UUID
    day: date
    released_at: datetime
    closes_at: datetime

    @property
    def key(self) -> str:
        """Name in Valkey and of the live stream."""
        return f"{self.practitioner_id.hex}-{self.day:%Y%m%d}-{int(self.released_at.timestamp())}"


class Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody asks for: slots of this release, best first, and what a booking needs besides."""

    person_id: UUID
    account_id: UUID
    slots: tuple[UUID, ...]
    eligibility_id: UUID
    complaint: str
    mode: str

    @property
    def place(self) -> str:
        """Name of the ticket in its draw."""
        return self.person_id.hex + self.account_id.hex


class Entered(StrEnum):
    """What became of somebody who came."""

    FIRST = "first"
    """A ticket, the first of this draw: the caller starts it."""
    QUEUED = "queued"
    DIRECT = "direct"
    """No draw any more, or none that works: book as usual."""
    FULL = "full"


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a ticket won, or why not."""

    appointment_id: UUID | None = None
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Status:
    """How a ticket stands: its result when there is one; `known` is false when Valkey has lost it."""

    known: bool
    done: bool
    tickets: int
    result: Result | None


_ENTER = """
local tickets, state, late = KEYS[1], KEYS[2], KEYS[3]
local place, sealed, open, life, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local phase = redis.call('GET', state)
if phase == 'done' then return 'direct' end
local count = redis.call('HLEN', tickets)
if open == '0' and phase ~= 'drawing' and count == 0 then return 'direct' end
if count >= most then return 'full' end
if redis.call('HSETNX', tickets, place, sealed) == 1 then
  redis.call('EXPIRE', tickets, life)
  if open == '0' or phase == 'drawing' then
    redis.call('RPUSH', late, place)
    redis.call('EXPIRE', late, life)
  end
end
if count == 0 then return 'first' end
return 'queued'
"""
_CLOSE = """
redis.call('SET', KEYS[2], 'drawing', 'EX', ARGV[1])
return {redis.call('HGETALL', KEYS[1]), redis.call('LRANGE', KEYS[3], 0, -1)}
"""
_END = """
local late = redis.call('LRANGE', KEYS[3], tonumber(ARGV[2]), -1)
if #late == 0 then
  redis.call('SET', KEYS[2], 'done', 'EX', ARGV[1])
  return {}
end
local found = {}
for i, place in ipairs(late) do found[i] = redis.call('HGET', KEYS[1], place) end
return found
"""


class Tickets:
    """The tickets of one draw."""

    def __init__(self, redis: Redis, key: str) -> None:
        self.redis, self.key = redis, key
        self.names = [f"draw:{key}:{part}" for part in ("tickets", "state", "late")]
        self.results = f"draw:{key}:results"

    async def enter(self, ticket: Ticket, *, is_open: bool) -> Entered:
        """Keep a ticket; a second one of the same person and account is the first one."""
        sealed = keyring().seal(msgspec.msgpack.encode(ticket), FIELD)
        answer = await self._run(_ENTER, ticket.place, sealed, "1" if is_open else "0", LIFE, MOST)
        return Entered.DIRECT if answer is None else Entered(answer.decode())

    async def taking(self) -> bool | None:
        """Whether tickets are being taken or places given; None when Valkey does not answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                async with self.redis.pipeline(transaction=False) as pipe:
                    pipe.get(self.names[1])
                    pipe.exists(self.names[0])
                    phase, there = await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("tickets_lost", error=type(error).__name__)
            return None
        return phase != b"done" and bool(phase or there)

    async def close(self) -> tuple[list[Ticket], list[Ticket]]:
        """No more tickets for the draw: those in it, and those that came late, in the order of arrival."""
        answer: Any = self.redis.eval(_CLOSE, 3, *self.names, str(LIFE))
        pairs, late_places = await answer
        found = dict(zip(pairs[::2], map(_open, pairs[1::2]), strict=True))
        late = [found[place] for place in late_places]
        drawn = [ticket for place, ticket in found.items() if place not in set(late_places)]
        return drawn, late

    async def end_or_more(self, served: int) -> list[Ticket]:
        """Who came late since `served` of them were served; nobody: from here on booking is direct."""
        answer: Any = self.redis.eval(_END, 3, *self.names, str(LIFE), str(served))
        return [_open(sealed) for sealed in await answer]

    async def say(self, results: Mapping[UUID, Result]) -> None:
        """Write down what persons won."""
        if results:
            values = {person.hex: msgspec.json.encode(one) for person, one in results.items()}
            async with self.redis.pipeline(transaction=False) as pipe:
                pipe.hset(self.results, mapping=values)
                pipe.expire(self.results, LIFE)
                await pipe.execute()

    async def said(self) -> dict[UUID, Result]:
        """Everything written down so far."""
        answer: Any = self.redis.hgetall(self.results)
        found = await answer
        return {UUID(name.decode()): msgspec.json.decode(one, type=Result) for name, one in found.items()}

    async def status(self, person_id: UUID, account_id: UUID) -> Status:
        """How a ticket stands."""
        try:
            async with asyncio.timeout(PATIENCE), self.redis.pipeline(transaction=False) as pipe:
                pipe.hget(self.results, person_id.hex)
                pipe.hexists(self.names[0], person_id.hex + account_id.hex)
                pipe.get(self.names[1])
                pipe.hlen(self.names[0])
                result, known, phase, count = await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("tickets_lost", error=type(error).__name__)
            return Status(known=False, done=False, tickets=0, result=None)
        read = msgspec.json.decode(result, type=Result) if result is not None and known else None
        return Status(bool(known), phase == b"done", count, read)

    async def _run(self, script: str, *arguments: Any) -> bytes | None:
        try:
            async with asyncio.timeout(PATIENCE):
                answer: Any = self.redis.eval(script, len(self.names), *self.names, *arguments)
                found: bytes = await answer
                return found
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("tickets_lost", error=type(error).__name__)
            return None


def _open(sealed: bytes) -> Ticket:
    return msgspec.msgpack.decode(keyring().open(sealed, FIELD), type=Ticket)


def by_person(tickets: Sequence[Ticket]) -> dict[UUID, list[Ticket]]:
    """Tickets of each person: several accounts may act for her, but she is drawn once."""
    found: dict[UUID, list[Ticket]] = {}
    for ticket in tickets:
        found.setdefault(ticket.person_id, []).append(ticket)
    return found
