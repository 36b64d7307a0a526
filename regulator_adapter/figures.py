"""What `/figures` and `/metrics` tell: how much arrived, how much the platforms have, what is missing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from prometheus_client import Gauge
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.supervision_desk import Overview
from foundation.clock import Clock
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter import profiles
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.states import OPEN, SubmissionState

GAPS = Gauge("regulator_gaps", "numbers missing below the highest that arrived")
BREAKS = Gauge("regulator_chain_breaks", "events that do not follow the one before them")
MISSING = Gauge("regulator_missing", "records without an accepted receipt", ["profile"])
FOR_PEOPLE = Gauge("regulator_for_people", "rejected and parked records", ["profile"])
OLDEST = Gauge("regulator_oldest_seconds", "age of the oldest record that is due and not accepted")
MOST = 200


class Line(msgspec.Struct, frozen=True):
    """One kind of record of one platform."""

    profile: str
    method: str
    routed: int
    accepted: int
    rejected: int
    parked: int
    open: int


class Figures(msgspec.Struct, frozen=True):
    """`received` counts events, `missing` routed records without an accepted receipt, `lag_seconds` the oldest that is due."""

    received: int
    last_number: int
    gaps: int
    chain_breaks: int
    routed: int
    accepted: int
    missing: int
    rejected: int
    parked: int
    waiting: int
    ambiguous: int
    lag_seconds: int
    by_method: list[Line]


class SubmissionView(msgspec.Struct, frozen=True):
    """One submission without its content."""

    id: UUID
    event_id: UUID
    event_type: str
    number: int
    profile: str
    method: str
    business_number: str
    state: str
    label: str
    attempts: int
    ambiguous: int
    waits_for: list[str]
    problems: str
    reply_code: str
    reply_text: str
    receipt: str
    due_at: datetime
    accepted_at: datetime | None


class SubmissionViews(msgspec.Struct, frozen=True):
    """The first 200 of them."""

    submissions: list[SubmissionView]


async def figures(db: Database) -> Figures:
    """Counted afresh."""
    async with unit_of_work(db) as session:
        received, last, breaks = await _received(session)
        lines = await _lines(session)
        waiting, ambiguous, oldest = await _open(session, db.clock)
    return Figures(
        received=received,
        last_number=last,
        gaps=last - received,
        chain_breaks=breaks,
        routed=sum(line.routed for line in lines),
        accepted=sum(line.accepted for line in lines),
        missing=sum(line.routed - line.accepted for line in lines),
        rejected=sum(line.rejected for line in lines),
        parked=sum(line.parked for line in lines),
        waiting=waiting,
        ambiguous=ambiguous,
        lag_seconds=oldest,
        by_method=lines,
    )


def show(counted: Figures) -> None:
    """Into the gauges."""
    GAPS.set(counted.gaps)
    BREAKS.set(counted.chain_breaks)
    OLDEST.set(counted.lag_seconds)
    for name in profiles.NAMES:
        lines = [line for line in counted.by_method if line.profile == name]
        MISSING.labels(name).set(sum(line.routed - line.accepted for line in lines))
        FOR_PEOPLE.labels(name).set(sum(line.rejected + line.parked for line in lines))


def glance(seen: Overview) -> None:
    """Into the same gauges, from what the desk was shown: the backend asks every few minutes."""
    GAPS.set(seen.missing_numbers)
    BREAKS.set(seen.chain_breaks)
    OLDEST.set(seen.lag_seconds)
    for name in profiles.NAMES:
        lines = [line for line in seen.lines if line.profile == name]
        MISSING.labels(name).set(sum(line.routed - line.accepted for line in lines))
        FOR_PEOPLE.labels(name).set(sum(line.rejected + line.parked - line.carried_over for line in lines))


async def submissions(
    db: Database, *, event_id: UUID | None = None, state: SubmissionState | None = None
) -> list[SubmissionView]:
    """Submissions of one event, or in one state, oldest first."""
    query = select(Submission).order_by(Submission.number, Submission.id).limit(MOST)
    if event_id is not None:
        query = query.where(Submission.event_id == event_id)
    if state is not None:
        query = query.where(Submission.state == state)
    async with unit_of_work(db) as session:
        return [_view(row) for row in await session.scalars(query)]


def _view(row: Submission) -> SubmissionView:
    return SubmissionView(
        id=row.id,
        event_id=row.event_id,
        event_type=row.event_type,
        number=row.number,
        profile=row.profile,
        method=row.method,
        business_number=row.business_number,
        state=row.state.value,
        label=row.MACHINE.labels[row.state],
        attempts=row.attempts,
        ambiguous=row.ambiguous,
        waits_for=list(row.needs) if row.blocked and row.state in OPEN else [],
        problems=row.problems,
        reply_code=row.reply_code,
        reply_text=row.reply_text,
        receipt=row.receipt,
        due_at=row.due_at,
        accepted_at=row.accepted_at,
    )


async def _received(session: AsyncSession) -> tuple[int, int, int]:
    query = select(
        func.count(),
        func.coalesce(func.max(ReceivedEvent.number), 0),
        func.count().filter(ReceivedEvent.linked.is_(False)),
    )
    row = (await session.execute(query)).one()
    return row[0], row[1], row[2]


async def _lines(session: AsyncSession) -> list[Line]:
    def count(*states: SubmissionState) -> Any:
        return func.count().filter(Submission.state.in_(states))

    state = SubmissionState
    query = (
        select(
            Submission.profile,
            Submission.method,
            func.count(),
            count(state.ACCEPTED),
            count(state.REJECTED),
            count(state.PARKED),
            count(*OPEN),
        )
        .group_by(Submission.profile, Submission.method)
        .order_by(Submission.profile, Submission.method)
    )
    return [Line(*row) for row in await session.execute(query)]


async def _open(session: AsyncSession, clock: Clock) -> tuple[int, int, int]:
    """How many wait for others, how many may have arrived twice, and the age of the oldest that is due."""
    now = clock.now()
    twice = [name for name in profiles.NAMES if not profiles.profile(name).deduplicates]
    unsettled = Submission.state != SubmissionState.ACCEPTED
    query = select(
        func.count().filter(Submission.blocked, Submission.state.in_(OPEN)),
        func.count().filter(Submission.ambiguous > 0, Submission.profile.in_(twice)),
        func.min(case((unsettled & (Submission.due_at <= now), Submission.occurred_at))),
    )
    waiting, ambiguous, oldest = (await session.execute(query)).one()
    lag = max(0, int((now - oldest).total_seconds())) if oldest is not None else 0
    return waiting, ambiguous, lag


def as_views(rows: Sequence[SubmissionView]) -> SubmissionViews:
    """The answer of `GET /submissions`."""
    return SubmissionViews(list(rows))
