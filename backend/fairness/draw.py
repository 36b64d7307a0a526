"""The draw after a release: who gets a place is decided by lot among all who came in the first seconds, not by speed.

A worker closes the draw, makes a seed, orders the persons by a hash over it and gives the places in that order; the seed
stays with the draw, so that anybody with the list can check it. Places are taken one by one by the same statement as always.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.fairness.model import ReleaseDraw
from backend.fairness.rules import Wish, allot, draw_open, order_of
from backend.fairness.tickets import Release, Result, Ticket, Tickets, by_person
from backend.policy import policy
from backend.schedule.model import Slot
from backend.schedule.queries import pool
from backend.schedule.rules import Channel, kept_for, left_for_everybody
from foundation.db.base import hospital_id
from foundation.db.intents import TryLater, intend
from foundation.db.locks import lock
from foundation.db.sharing import shared
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import AppError
from foundation.ids import new_id
from foundation.logs import log

DRAW = "fairness.draw"
GRACE = timedelta(seconds=30)
"""So long after its close a draw may still be giving places; after that nobody asks for it any more."""
LATE = timedelta(seconds=2)
"""After its close a draw that gave nothing yet is asked for again."""
REMEMBERED = 5.0
TRIED_FOR_KEPT = 500
HOPING = 64
PATIENT_ROUNDS = 2
OTHERS_MAY = frozenset({"not_found", "scope_missing", "guardian_needed", "eligibility_not_found"})
"""Refusals that are about the account; another account of the same person may be the right one."""
SOLD_OUT = Result(code="sold_out", detail="本次放出的号源已抽完，您可以查看其他医生或日期")

Wanted = Sequence[tuple[Ticket, UUID]]
Hold = Callable[[Wanted], Awaitable[Sequence[UUID | AppError]]]
"""Holds places for tickets in slots, in this order: an appointment's id or the refusal for each."""


@dataclass(frozen=True)
class _Seen:
    at: float
    release: Release | None


_seen: dict[UUID, _Seen] = {}


def forget() -> None:
    """Look again which slots belong to which release."""
    _seen.clear()


async def release_of(context: Context, slot_id: UUID) -> Release | None:
    """The release a slot belongs to, if there is a draw for it; remembered for seconds, because thousands ask at once."""
    found = _seen.get(slot_id)
    if found is None or time.monotonic() - found.at > REMEMBERED:
        row = await shared(context.db, _slots).ask(slot_id)
        if len(_seen) > 10_000:
            forget()
        released = row.released_at.replace(microsecond=0) if row and row.released_at else None
        release = (
            Release(row.practitioner_id, row.day, released, released + policy().draw)
            if row and released
            else None
        )
        found = _seen[slot_id] = _Seen(time.monotonic(), release)
    return found.release if policy().draw_seconds else None


async def _slots(db: Database, slot_ids: Sequence[UUID]) -> Sequence[Any]:
    """Doctor, day and release of each slot; None for one that is not there."""
    async with unit_of_work(db) as session:
        query = select(Slot.id, Slot.practitioner_id, Slot.day, Slot.released_at).where(
            Slot.id.in_(set(slot_ids))
        )
        found = {row.id: row for row in await session.execute(query)}
    return [found.get(slot_id) for slot_id in slot_ids]


def draws_now(release: Release | None, now: datetime) -> bool:
    """Whether its draw is open or may still be giving places."""
    return release is not None and release.released_at <= now < release.closes_at + GRACE


async def is_drawn(context: Context, slot_id: UUID) -> bool:
    """Whether the places that everybody may have are given by lot now."""
    release = await release_of(context, slot_id)
    if release is None or not draws_now(release, context.clock.now()):
        return False
    taking = await Tickets(context.redis, release.key).taking()
    return bool(taking) or (taking is not None and context.clock.now() < release.closes_at)


async def require_no_draw(context: Context, slot_id: UUID) -> None:
    """`Conflict` while the slot's places are drawn."""
    if await is_drawn(context, slot_id):
        raise draw_open()


async def start(session: AsyncSession, release: Release) -> None:
    """The draw is to be resolved when it closes; asking again changes nothing."""
    statement = insert(ReleaseDraw).values(
        id=new_id(), hospital_id=hospital_id(), practitioner_id=release.practitioner_id, day=release.day,
        released_at=release.released_at, closes_at=release.closes_at, tickets=0, given=0,
    )  # fmt: skip
    await session.execute(statement.on_conflict_do_nothing())
    query = select(ReleaseDraw).where(
        ReleaseDraw.practitioner_id == release.practitioner_id, ReleaseDraw.day == release.day,
        ReleaseDraw.released_at == release.released_at,
    )  # fmt: skip
    row = (await session.scalars(query)).one()
    await intend(session, DRAW, row.id, due=max(row.closes_at, clock_of(session).now()))


async def resolve(context: Context, draw_id: UUID, hold: Hold) -> None:
    """Give the places: first in the order of the draw, then to who came late, as they came. Safe to run again."""
    async with unit_of_work(context.db) as session:
        row = await lock(session, ReleaseDraw, draw_id)
        row.seed = row.seed or secrets.token_bytes(32)
        seed, release = row.seed, Release(row.practitioner_id, row.day, row.released_at, row.closes_at)
    tickets = Tickets(context.redis, release.key)
    serving = _Serving(context, tickets, hold)
    try:
        drawn, late = await tickets.close()
        serving.results = await tickets.said()
        persons = by_person(drawn)
        await serving.serve([persons[person] for person in order_of(seed, persons)])
        served = len(late)
        while True:
            await serving.serve(list(by_person(late).values()))
            late = await tickets.end_or_more(served)
            served += len(late)
            if not late:
                break
    except (RedisError, OSError) as error:
        if context.clock.now() < release.closes_at + GRACE:
            raise TryLater("tickets cannot be read", after=timedelta(seconds=1)) from error
        log.warning("draw_lost", error=type(error).__name__)
    won = sum(1 for one in serving.results.values() if one.appointment_id)
    async with unit_of_work(context.db) as session:
        row = await lock(session, ReleaseDraw, draw_id)
        row.tickets, row.given = max(row.tickets, len(serving.results)), max(row.given, won)
        row.resolved_at = context.clock.now()


def _result(answer: UUID | AppError) -> Result:
    if isinstance(answer, AppError):
        return Result(code=answer.code, detail=answer.detail)
    return Result(appointment_id=answer)


class _Serving:
    """Gives places to persons in their order; several places at the same time, but never one that is somebody else's turn."""

    def __init__(self, context: Context, tickets: Tickets, hold: Hold) -> None:
        self.context, self.tickets, self.hold = context, tickets, hold
        self.results: dict[UUID, Result] = {}

    async def serve(self, people: Sequence[list[Ticket]]) -> None:
        """Until everybody has a result."""
        left = [tickets for tickets in people if tickets[0].person_id not in self.results]
        hopeless: set[UUID] = set()
        idle = 0
        while left and idle < PATIENT_ROUNDS and len(hopeless) < TRIED_FOR_KEPT:
            turn, nothing_free = await self._turn(left, hopeless)
            if not turn:
                break
            said, moved = await self._round(turn, hopeless if nothing_free else set())
            idle = 0 if said or moved else idle + 1
            left = [one for one in left if one[0].person_id not in said]
            await self._say(said)
        await self._say({one[0].person_id: SOLD_OUT for one in left})

    async def _turn(
        self, left: Sequence[list[Ticket]], hopeless: set[UUID]
    ) -> tuple[list[tuple[list[Ticket], UUID]], bool]:
        """Who is asked for in this round, in the order of the draw, and with which slot; whether nothing is free for everybody.

        Beside those for whom there is a place go the next ones: when somebody is refused, her place is theirs at once.
        Places kept for a doctor's own patients are tried for by those who are next, because only the booking knows them.
        """
        free, kept = await self._free({slot for tickets in left for slot in tickets[0].slots})
        given = allot([Wish(tickets[0].person_id, tickets[0].slots) for tickets in left], free)
        if not given and not any(kept.values()):
            return [], True
        others = (one[0].person_id for one in left if one[0].person_id not in given)
        hoping = set(islice((person for person in others if person not in hopeless), HOPING))
        turn = []
        for tickets in left:
            person, slots = tickets[0].person_id, tickets[0].slots
            if person in given:
                turn.append((tickets, given[person]))
            elif person in hoping:
                turn.append((tickets, next((slot for slot in slots if kept.get(slot)), slots[0])))
        return turn, not given

    async def _round(
        self, turn: Sequence[tuple[list[Ticket], UUID]], hopeless: set[UUID]
    ) -> tuple[dict[UUID, Result], bool]:
        """Results of those who have one now, and whether somebody's next account came to the fore."""
        said: dict[UUID, Result] = {}
        moved = False
        answers = await self.hold([(tickets[0], slot) for tickets, slot in turn])
        for (tickets, _), answer in zip(turn, answers, strict=True):
            person = tickets[0].person_id
            if isinstance(answer, AppError) and answer.code in OTHERS_MAY and tickets[1:]:
                del tickets[0]
                moved = True
            elif isinstance(answer, AppError) and answer.code == "sold_out":
                hopeless.add(person)
            else:
                said[person] = _result(answer)
        return said, moved

    async def _say(self, results: dict[UUID, Result]) -> None:
        self.results |= results
        await self.tickets.say(results)
        if results:
            names = {f"draw:{self.tickets.key}"}
            try:
                await self.context.live.announce(names)
            except (RedisError, OSError) as error:
                log.warning("draw_unheard", error=type(error).__name__)

    async def _free(self, slots: set[UUID]) -> tuple[dict[UUID, int], dict[UUID, int]]:
        """Places kept for nobody, and places kept for patients of this doctor, of each slot that is on sale."""
        now = self.context.clock.now()
        async with unit_of_work(self.context.db) as session:
            rows = (await session.scalars(select(Slot).where(Slot.id.in_(slots)))).all()
        pools = {row.id: pool(row) for row in rows}
        free = {key: left_for_everybody(one, now) for key, one in pools.items()}
        return free, {key: kept_for(one, Channel.FOLLOW_UP, now) for key, one in pools.items()}
