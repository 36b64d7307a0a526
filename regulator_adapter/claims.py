"""Chooses what goes out next and writes it down as `submitted` before a byte leaves.

One chooser per profile works at a time (advisory lock), so that two processes cannot take neighbours of one stream.
A claim is a lease: whoever dies with it loses it, and the rows are found again, marked as possibly sent.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_, exists, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from foundation.actor import SYSTEM
from foundation.db.advance import advance_each
from foundation.db.locks import lock_all
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
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


@dataclass(frozen=True)
class Batch:
    """Rows of one method that go out in one list, in the order of their events."""

    id: UUID
    profile: Profile
    method: str
    rows: Sequence[Sent]


_ALL_KNOWN = text(
    "NOT EXISTS (SELECT 1 FROM unnest(submission.needs) AS need WHERE NOT EXISTS (SELECT 1 FROM submission AS known "
    "WHERE known.profile = submission.profile AND known.makes = need AND known.state = 'accepted'))"
)


async def unblock(db: Database, profile: Profile) -> int:
    """Release rows whose needs have all been accepted by now; returns how many."""
    async with unit_of_work(db) as session:
        released = await session.scalars(
            update(Submission)
            .where(Submission.profile == profile.name, Submission.blocked, Submission.state.in_(OPEN))
            .where(_ALL_KNOWN)
            .values(blocked=False)
            .returning(Submission.id)
            .execution_options(synchronize_session=False)
        )
        return len(released.all())


async def claim(
    db: Database, profile: Profile, busy: Collection[UUID], ambiguous_resends: int
) -> Batch | None:
    """The next batch of `profile`, or None. `busy` are rows this process has out already, whatever their lease says."""
    async with unit_of_work(db) as session:
        got = await session.scalar(
            text("SELECT pg_try_advisory_xact_lock(hashtext(:name))"), {"name": f"claim:{profile.name}"}
        )
        if not got:
            return None
        chosen = _choose(profile, await _candidates(session, db, profile, busy))
        if not chosen:
            return None
        return await _take(session, db, profile, chosen, ambiguous_resends)


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
        select(Submission.id, Submission.method, Submission.alone)
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


def _choose(profile: Profile, candidates: Sequence[Any]) -> list[UUID]:
    """Rows of the first candidate's method up to its batch size; a row that must go alone goes alone."""
    if not candidates:
        return []
    first = candidates[0]
    if first.alone:
        return [first.id]
    same = [row for row in candidates if row.method == first.method]
    taken: list[UUID] = []
    for row in same[: profile.methods[first.method].batch]:
        if row.alone:
            break
        taken.append(row.id)
    return taken


async def _take(
    session: AsyncSession, db: Database, profile: Profile, ids: list[UUID], ambiguous_resends: int
) -> Batch | None:
    now, batch_id = db.clock.now(), new_id()
    rows = await lock_all(session, Submission, ids)
    hopeless = {
        row.id
        for row in rows
        if row.in_flight and not profile.deduplicates and row.ambiguous >= ambiguous_resends
    }
    if hopeless:
        await park_ambiguous(session, hopeless)
    going = _fitting(
        sorted((row for row in rows if row.id not in hopeless), key=lambda row: (row.number, row.id))
    )
    if not going:
        return None
    first_time: dict[UUID, dict[str, Any]] = {}
    for row in going:
        changes = {
            "claimed_until": now + LEASE,
            "in_flight": True,
            "attempts": row.attempts + 1,
            "ambiguous": row.ambiguous + row.in_flight,
            "submitted_at": row.submitted_at or now,
        }
        if row.state is SubmissionState.MAPPED:
            first_time[row.id] = changes
        else:
            for name, value in changes.items():
                setattr(row, name, value)
    await advance_each(session, Submission, "submit", SYSTEM, first_time)
    sent = [
        Sent(row.id, row.event_id, row.record, row.attempts, row.ambiguous, row.occurred_at) for row in going
    ]
    return Batch(batch_id, profile, going[0].method, sent)


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
