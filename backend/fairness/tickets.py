"""Tickets of a draw in Valkey: one round trip each way, sealed, gone after minutes. Losing them costs a draw, never a place.

After a release the first `draw_seconds` belong to the draw. `enter` keeps one ticket per person and account; whoever comes
while places are given lines up behind, in the order of arrival. Once a draw is done, or when Valkey has nothing (emptied,
restarted, away), booking is first come, first served, and the database alone keeps it right.
"""

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation.db.columns import keyring
from foundation.db.guards import guarded
from foundation.logs import log
from foundation.together import Together

LIFE = 900
"""Seconds that tickets and results are kept."""
MOST = 50_000
"""Tickets of one draw; more than any doctor's patients."""
PATIENCE = 0.5
FIELD = "draw.ticket"


class _OfDraw(Protocol):
    """Something about one draw."""

    @property
    def key(self) -> str:
        """Name of the draw."""


Q = TypeVar("Q", bound=_OfDraw)
A = TypeVar("A")


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
local life, most = ARGV[1], tonumber(ARGV[2])
local phase = redis.call('GET', state)
local count = redis.call('HLEN', tickets)
local answers = {}
for i = 3, #ARGV, 3 do
  local place, sealed, open = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local answer = 'queued'
  if phase == 'done' or (open == '0' and phase ~= 'drawing' and count == 0) then
    answer = 'direct'
  elseif count >= most then
    answer = 'full'
  else
    if count == 0 then answer = 'first' end
    if redis.call('HSETNX', tickets, place, sealed) == 1 then
      count = count + 1
      if open == '0' or phase == 'drawing' then
        redis.call('RPUSH', late, place)
        redis.call('EXPIRE', late, life)
      end
    end
  end
  answers[#answers + 1] = answer
end
if count > 0 then redis.call('EXPIRE', tickets, life) end
return answers
"""
_STATUS = """
local tickets, state, results = KEYS[1], KEYS[2], KEYS[4]
local found = {redis.call('GET', state), redis.call('HLEN', tickets)}
for i = 1, #ARGV, 2 do
  found[#found + 1] = redis.call('HGET', results, ARGV[i])
  found[#found + 1] = redis.call('HEXISTS', tickets, ARGV[i + 1])
end
return found
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
        """Keep a ticket; a second one of the same person and account is the first one.

        Tickets that come at the same time go with one script: one by one, a rush would run out of patience and of draws.
        """
        sealed = keyring().seal(msgspec.msgpack.encode(ticket), FIELD)
        line = _line(_entering, self.redis, _enter)
        return await line.ask(_Entering(self.key, ticket.place, sealed, is_open))

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
        line = _line(_asking, self.redis, _status)
        return await line.ask(_Asking(self.key, person_id.hex, person_id.hex + account_id.hex))


@dataclass(frozen=True, slots=True)
class _Asking:
    """One question about a ticket."""

    key: str
    person: str
    place: str


@dataclass(frozen=True, slots=True)
class _Entering:
    """One ticket on its way into a draw."""

    key: str
    place: str
    sealed: bytes
    is_open: bool


_Lines = weakref.WeakKeyDictionary[Redis, Together[Q, A]]
_entering: "_Lines[_Entering, Entered]" = weakref.WeakKeyDictionary()
_asking: "_Lines[_Asking, Status]" = weakref.WeakKeyDictionary()
LOST = Status(known=False, done=False, tickets=0, result=None)


def _line(
    lines: "_Lines[Q, A]", redis: Redis, work: Callable[[Redis, str, Sequence[Q]], Awaitable[list[A]]]
) -> Together[Q, A]:
    """Those who ask this Valkey the same kind of thing at the same time go together, draw by draw."""
    found = lines.get(redis)
    if found is None:
        alive = weakref.ref(redis)  # a line must not keep alive what it is found by

        async def by_draw(questions: Sequence[Q]) -> list[A]:
            valkey = alive()
            assert valkey is not None
            answers: dict[int, A] = {}
            for key in {one.key for one in questions}:
                own = [at for at, one in enumerate(questions) if one.key == key]
                answers |= zip(own, await work(valkey, key, [questions[at] for at in own]), strict=True)
            return [answers[at] for at in range(len(questions))]

        found = lines[redis] = Together(by_draw, most=500)
    return found


async def _enter(redis: Redis, key: str, entering: Sequence[_Entering]) -> list[Entered]:
    """What became of each; without Valkey all book directly."""
    told = [part for one in entering for part in (one.place, one.sealed, "1" if one.is_open else "0")]
    answers = await _run(redis, _ENTER, Tickets(redis, key).names, [str(LIFE), str(MOST), *told])
    if answers is None:
        return [Entered.DIRECT] * len(entering)
    return [Entered(answer.decode()) for answer in answers]


async def _status(redis: Redis, key: str, asking: Sequence[_Asking]) -> list[Status]:
    """How each stands; without Valkey nobody knows."""
    own = Tickets(redis, key)
    told = [part for one in asking for part in (one.person, one.place)]
    answers = await _run(redis, _STATUS, [*own.names, own.results], told)
    if answers is None:
        return [LOST] * len(asking)
    phase, count, *rest = answers
    return [
        Status(
            bool(known), phase == b"done", count,
            msgspec.json.decode(result, type=Result) if result is not None and known else None,
        )
        for result, known in zip(rest[::2], rest[1::2], strict=True)
    ]  # fmt: skip


async def _run(redis: Redis, script: str, names: Sequence[str], arguments: Sequence[Any]) -> list[Any] | None:
    try:
        async with asyncio.timeout(PATIENCE):
            answer: Any = redis.eval(script, len(names), *names, *arguments)
            found: list[Any] = await answer
            return found
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("tickets_lost", error=type(error).__name__, requests=len(arguments))
        return None


def _open(sealed: bytes) -> Ticket:
    return msgspec.msgpack.decode(keyring().open(sealed, FIELD), type=Ticket)


def by_person(tickets: Sequence[Ticket]) -> dict[UUID, list[Ticket]]:
    """Tickets of each person: several accounts may act for her, but she is drawn once."""
    found: dict[UUID, list[Ticket]] = {}
    for ticket in tickets:
        drawn = ticket.person_id if guarded("one_ticket") else ticket.account_id
        found.setdefault(drawn, []).append(ticket)
    return found
