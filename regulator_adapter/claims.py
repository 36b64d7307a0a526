"""Chooses what goes out next and writes it down as `submitted` before a byte leaves.

One chooser per profile works at a time (advisory lock), so that two processes cannot take neighbours of one stream.
A claim is a lease: whoever dies with it loses it, and the rows are found again, marked as possibly sent.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, exists, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from foundation.actor import SYSTEM
from foundation.db.advance import advance_each
from foundation.db.guards import guarded
from foundation.db.locks import lock_all
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.logs import log
from regulator_adapter.model import Submission
from regulator_adapter.profiles import Profile
from regulator_adapter.states import OPEN, SubmissionState

LEASE = timedelta(seconds=120)
"""Longer than a request through both gateways may take."""
LARGEST_LIST = 300_000
"""Bytes of JSON in one list; sealed and in hex it stays below the 1 MB that gateway and platform take."""
LOOK_AHEAD = 200
_READY = (SubmissionState.MAPPED, SubmissionState.SUBMITTED)


@dataclass(frozen=True)
class Sent:
    """One claimed row: what goes out, and how often it was tried."""

    id: UUID
    event_id: UUID
    record: dict[str, Any]
    attempts: int
    ambiguous: int
    occurred_at: datetime
    makes: str


@dataclass(frozen=True)
class Batch:
    """Rows of one method that go out in one list, in the order of their events."""

    profile: Profile
    method: str
    rows: Sequence[Sent]


_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
_ALL_KNOWN = text(
    "NOT EXISTS (SELECT 1 FROM unnest(submission.needs) AS need WHERE NOT EXISTS (SELECT 1 FROM submission AS known "
    "WHERE known.profile = submission.profile AND known.makes = need AND known.state = 'accepted'))"
)


async def unblock(db: Database, profile: Profile, made: Collection[str] | None = None) -> int:
    """Release rows whose needs have all been accepted by now; returns how many. `made`: only those that need one of these."""
    async with unit_of_work(db) as session:
        statement = (
            update(Submission)
            .where(Submission.profile == profile.name, Submission.blocked, Submission.state.in_(OPEN))
            .where(_ALL_KNOWN)
            .values(blocked=False)
            .returning(Submission.id)
            .execution_options(synchronize_session=False)
        )
        if made is not None:
            statement = statement.where(Submission.needs.overlap(list(made)))
        return len((await session.scalars(statement)).all())


async def claim(
    db: Database, profile: Profile, busy: Collection[UUID], *, room: int, ambiguous_resends: int
) -> list[Batch]:
    """The next batches of `profile`, `room` at most. `busy` are rows this process has out already, whatever their lease says."""
    async with unit_of_work(db) as session:
        if guarded("claim_lock") and not await session.scalar(_TRY_LOCK, {"name": f"claim:{profile.name}"}):
            return []
        chosen = choose(profile, await _candidates(session, db, profile, busy), room)
        return await _take(session, db, profile, chosen, ambiguous_resends) if chosen else []


async def _candidates(
    session: AsyncSession, db: Database, profile: Profile, busy: Collection[UUID]
) -> Sequence[Any]:
    now = db.clock.now()
    earlier = aliased(Submission)
    overtaken = exists().where(
        earlier.profile == Submission.profile,
        earlier.lane == Submission.lane,
        earlier.rank < Submission.rank,
        earlier.state.in_(OPEN),
        or_(
            earlier.method != Submission.method,
            earlier.state == SubmissionState.RECEIVED,
            ~_free(earlier, now, busy),
        ),
    )
    query = (
        select(Submission.id, Submission.method, Submission.lane, Submission.alone)
        .where(Submission.profile == profile.name, Submission.state.in_(_READY), ~Submission.blocked)
        .where(_free(Submission, now, busy))
        .where(or_(Submission.lane == "", ~overtaken))
        .order_by(Submission.number, Submission.id)
        .limit(LOOK_AHEAD)
    )
    return (await session.execute(query)).all()


def _free(row: Any, now: datetime, busy: Collection[UUID]) -> ColumnElement[bool]:
    conditions = [row.due_at <= now, or_(row.claimed_until.is_(None), row.claimed_until < now)]
    if busy:
        conditions.append(row.id.not_in(busy))
    return and_(*conditions)


class Candidate(Protocol):
    """What choosing looks at."""

    id: UUID
    method: str
    lane: str
    alone: bool


def choose(profile: Profile, candidates: Sequence[Candidate], room: int) -> list[list[UUID]]:
    """Up to `room` lists, each of one method and no longer than its batch size. Rows of one lane never go in two lists at a time."""
    lists: list[list[UUID]] = []
    open_list: dict[str, int] = {}
    lane_of: dict[str, int] = {}
    for row in candidates:
        at = None if row.alone else open_list.get(row.method)
        if at is not None and len(lists[at]) >= profile.methods[row.method].batch:
            at = None
        if row.lane and row.lane in lane_of and lane_of[row.lane] != at:
            continue
        if at is None:
            if len(lists) >= room:
                continue
            at = len(lists)
            lists.append([])
            if not row.alone:
                open_list[row.method] = at
        lists[at].append(row.id)
        if row.lane:
            lane_of[row.lane] = at
    return lists


async def _take(
    session: AsyncSession, db: Database, profile: Profile, chosen: list[list[UUID]], ambiguous_resends: int
) -> list[Batch]:
    now = db.clock.now()
    rows = {
        row.id: row for row in await lock_all(session, Submission, [one for ids in chosen for one in ids])
    }
    hopeless = {
        row.id
        for row in rows.values()
        if row.in_flight and not profile.deduplicates and row.ambiguous >= ambiguous_resends
    }
    if hopeless:
        await park_ambiguous(session, hopeless)
    batches: list[Batch] = []
    first_time: dict[UUID, dict[str, Any]] = {}
    for ids in chosen:
        going = _fitting([rows[one] for one in ids if one not in hopeless])
        for row in going:
            _mark(row, now, first_time)
        if going:
            sent = [Sent(row.id, row.event_id, row.record, row.attempts + (row.id in first_time), row.ambiguous, row.occurred_at,
                         row.makes) for row in going]  # fmt: skip
            batches.append(Batch(profile, going[0].method, sent))
    await advance_each(session, Submission, "submit", SYSTEM, first_time)
    return batches


def _mark(row: Submission, now: datetime, first_time: dict[UUID, dict[str, Any]]) -> None:
    """Write down that `row` goes out: with the verb the first time, as one more attempt later."""
    changes = {
        "claimed_until": now + LEASE,
        "in_flight": True,
        "attempts": row.attempts + 1,
        "ambiguous": row.ambiguous + row.in_flight,
        "submitted_at": row.submitted_at or now,
    }
    if row.state is SubmissionState.MAPPED:
        first_time[row.id] = changes
        return
    for name, value in changes.items():
        setattr(row, name, value)


def _fitting(rows: list[Submission]) -> list[Submission]:
    """As many of the first rows as one list can carry, at least one."""
    size, fitting = 0, list[Submission]()
    for row in rows:
        size += len(msgspec.json.encode(row.record))
        if fitting and size > LARGEST_LIST:
            break
        fitting.append(row)
    return fitting


async def park_ambiguous(session: AsyncSession, ids: Collection[UUID]) -> None:
    """Give rows that may have arrived to people: this platform would store them twice."""
    log.warning("submission_ambiguous", count=len(ids))
    changes = {
        "in_flight": False,
        "claimed_until": None,
        "reply_code": "ambiguous",
        "reply_text": "已发送但没有得到回执，平台可能已经入库；请先与平台核对再重报",
    }
    await advance_each(session, Submission, "park", SYSTEM, dict.fromkeys(ids, changes))
