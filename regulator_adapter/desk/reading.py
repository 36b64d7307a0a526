"""What the desk is shown: records that wait, days, and the feed at a glance."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import supervision_desk as wire
from foundation.canonical import sha256
from foundation.clock import local
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import NotFound
from regulator_adapter import names, profiles, sign_in
from regulator_adapter.days import counting, opening
from regulator_adapter.days.counting import PEOPLE, Span
from regulator_adapter.days.differences import Difference, from_rows
from regulator_adapter.days.model import PlatformCount, Statement
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.states import OPEN, SubmissionState

MOST = 200
DAYS_SHOWN = 60
LATELY = timedelta(days=31)


class RecordsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`show`: `waiting` for people (default), `open` on the way, `carried` over, `all`; of one method, one day or one event."""

    show: str = "waiting"
    method: str | None = None
    day: date | None = None
    event_id: UUID | None = None


async def records(db: Database, query: RecordsQuery) -> wire.Records:
    """Oldest first, 200 at most."""
    where = [Submission.hospital_id == hospital_id(), *_shown(query.show)]
    if query.method is not None:
        where.append(Submission.method == query.method)
    if query.day is not None:
        where += Span(query.day, 2**62).of(Submission)
    if query.event_id is not None:
        where.append(Submission.event_id == query.event_id)
    async with unit_of_work(db) as session:
        total = await session.scalar(select(func.count()).select_from(Submission).where(*where))
        rows = await session.scalars(
            select(Submission).where(*where).order_by(Submission.number, Submission.id).limit(MOST)
        )
        now = clock_of(session).now()
        # A list of one day, method or event is about records; a sign-in is not one of them.
        whole = query == RecordsQuery(show="waiting")
        sign_ins = await sign_in.refused(session) if whole else []
        return wire.Records(total or 0, [record_view(row, now) for row in rows], sign_ins)


async def record(db: Database, row_id: UUID) -> wire.RecordView:
    """One; `NotFound`."""
    async with unit_of_work(db) as session:
        row = await session.get(Submission, row_id)
        if row is None or row.hospital_id != hospital_id():
            raise NotFound
        return record_view(row, clock_of(session).now())


def _shown(show: str) -> list[ColumnElement[bool]]:
    carried = Submission.carried_at.is_not(None)
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "waiting": [Submission.state.in_(PEOPLE), ~carried],
        "carried": [Submission.state.in_(PEOPLE), carried],
        "open": [Submission.state.in_(OPEN)],
        "all": [],
    }
    return conditions.get(show, conditions["waiting"])


def record_view(row: Submission, now: datetime) -> wire.RecordView:
    """Without its content."""
    carried = None
    if row.carried_at is not None and row.state in PEOPLE:
        carried = wire.Carried(row.carried_by or "", row.carried_reason or "", row.carried_at)
    return wire.RecordView(
        id=row.id, event_id=row.event_id, event_type=row.event_type, number=row.number,
        day=local(row.occurred_at).date(), occurred_at=row.occurred_at, profile=row.profile, method=row.method,
        kind=names.kind(row.method), business_number=row.business_number, state=row.state.value,
        label=row.MACHINE.labels[row.state], attempts=row.attempts, ambiguous=row.ambiguous,
        waits_for=list(row.needs) if row.blocked and row.state in OPEN else [],
        fields=names.missing(row.method, row.problems, row.reply_text), reply_code=row.reply_code,
        reply_text=row.reply_text, receipt=row.receipt, due_at=row.due_at,
        seconds=max(0, int((now - row.occurred_at).total_seconds())), carried=carried,
    )  # fmt: skip


async def overview(db: Database, routed: Collection[str], paused: dict[str, str]) -> wire.Overview:
    """Counted afresh, the lines over the last 31 days; `paused` has why nothing gets through to a platform, by profile.

    The platforms are those that anything is `routed` to, and those that records went to before.
    """
    async with unit_of_work(db) as session:
        last, missing, gaps, breaks = await _arrived(session)
        lines = await _lines(session)
        shown = [
            name for name in profiles.NAMES if name in routed or any(one.profile == name for one in lines)
        ]
        platforms = [await _platform(session, name, paused.get(name, "")) for name in shown]
        waiting = await _waiting(session)
        unclosed = await opening.unclosed(session)
        refused = len(await sign_in.refused(session))
        closed = await session.scalar(
            select(func.max(Statement.day)).where(
                Statement.hospital_id == hospital_id(), Statement.closed_at.is_not(None)
            )
        )
    rejected, parked, carried, open_, blocked, ambiguous = waiting
    return wire.Overview(
        received=last - missing, last_number=last, gaps=gaps, missing_numbers=missing, chain_breaks=breaks,
        routed=sum(one.routed for one in lines), accepted=sum(one.accepted for one in lines), open=open_,
        rejected=rejected, parked=parked, carried_over=carried, blocked=blocked, ambiguous=ambiguous,
        lag_seconds=max(one.lag_seconds for one in platforms), unclosed_days=len(unclosed), last_closed=closed,
        lines=lines, platforms=platforms, sign_ins_refused=refused,
    )  # fmt: skip


def _lately(session: AsyncSession, model: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Years of records lie in these tables; what is older than a month is closed, or with people and found by its state."""
    return model.hospital_id == hospital_id(), model.occurred_at >= clock_of(session).now() - LATELY


async def _arrived(session: AsyncSession) -> tuple[int, int, list[list[int]], int]:
    """Highest number, how many are missing since the last closed day, which, and breaks of the chain of late."""
    last = await session.scalar(
        select(func.max(ReceivedEvent.number)).where(ReceivedEvent.hospital_id == hospital_id())
    )
    start = await opening.settled_through(session)
    gaps = await counting.missing_numbers(session, start, last or 0, most=1_000)
    breaks = await session.scalar(
        select(func.count())
        .select_from(ReceivedEvent)
        .where(*_lately(session, ReceivedEvent), ReceivedEvent.linked.is_(False))
    )
    return last or 0, sum(b - a + 1 for a, b in gaps), gaps[:50], breaks or 0


async def _waiting(session: AsyncSession) -> tuple[int, int, int, int, int, int]:
    """(rejected, parked, carried over, on the way, blocked, possibly twice), however old."""
    state, ours = Submission.state, Submission.hospital_id == hospital_id()
    people = select(
        func.count().filter(state == SubmissionState.REJECTED),
        func.count().filter(state == SubmissionState.PARKED),
        func.count().filter(Submission.carried_at.is_not(None)),
    ).where(ours, state.in_(PEOPLE))
    going = select(func.count(), func.count().filter(Submission.blocked)).where(ours, state.in_(OPEN))
    twice = [name for name in profiles.NAMES if not profiles.profile(name).deduplicates]
    ambiguous = await session.scalar(
        select(func.count())
        .select_from(Submission)
        .where(*_lately(session, Submission), Submission.ambiguous > 0, Submission.profile.in_(twice))
    )
    rejected, parked, carried = (await session.execute(people)).one()
    open_, blocked = (await session.execute(going)).one()
    return rejected, parked, carried, open_, blocked, ambiguous or 0


async def _lines(session: AsyncSession) -> list[wire.Line]:
    state = SubmissionState
    carried = Submission.state.in_(PEOPLE) & Submission.carried_at.is_not(None)

    def count(*states: SubmissionState) -> Any:
        return func.count().filter(Submission.state.in_(states))

    query = (
        select(
            Submission.profile, Submission.method, func.count(), count(state.ACCEPTED), count(*OPEN),
            count(state.REJECTED), count(state.PARKED), func.count().filter(carried),
        )
        .where(*_lately(session, Submission))
        .group_by(Submission.profile, Submission.method)
        .order_by(Submission.profile, Submission.method)
    )  # fmt: skip
    rows = await session.execute(query)
    return [wire.Line(row[0], row[1], names.kind(row[1]), *row[2:]) for row in rows]


async def _platform(session: AsyncSession, name: str, paused: str) -> wire.PlatformState:
    now = clock_of(session).now()
    query = select(
        func.max(Submission.accepted_at),
        func.min(case((Submission.state.in_(OPEN) & (Submission.due_at <= now), Submission.occurred_at))),
        func.count().filter(Submission.state.in_(OPEN)),
    ).where(*_lately(session, Submission), Submission.profile == name)
    accepted, oldest, waiting = (await session.execute(query)).one()
    lag = max(0, int((now - oldest).total_seconds())) if oldest is not None else 0
    return wire.PlatformState(name, profiles.profile(name).states_days, accepted, lag, waiting, paused)


async def days(db: Database) -> wire.DayList:
    """The newest statement of each of the last sixty days."""
    async with unit_of_work(db) as session:
        query = (
            select(Statement)
            .where(Statement.hospital_id == hospital_id())
            .distinct(Statement.day)
            .order_by(Statement.day.desc(), Statement.supplement.desc())
            .limit(DAYS_SHOWN)
        )
        return wire.DayList([day_view(row) for row in await session.scalars(query)])


async def day_detail(db: Database, day: date) -> wire.DayDetail:
    """One day; `NotFound` before it has a statement."""
    async with unit_of_work(db) as session:
        query = (
            select(Statement)
            .where(Statement.hospital_id == hospital_id(), Statement.day == day)
            .order_by(Statement.supplement.desc())
        )
        rows = (await session.scalars(query)).all()
        if not rows:
            raise NotFound("这一天没有对账单")
        newest, now = rows[0], clock_of(session).now()
        span = Span(day, newest.through or 2**62)
        methods = await counting.by_method(session, span)
        counts = await session.scalars(select(PlatformCount).where(PlatformCount.statement_id == newest.id))
        entered = {(one.profile, one.method): one for one in counts}
        carried = await counting.unsettled(session, span, PEOPLE, carried=True)
        return wire.DayDetail(
            newest=day_view(newest), statements=[day_view(row) for row in rows],
            lines=[_day_line(one, newest, entered.get((one.profile, one.method))) for one in methods],
            carried=[record_view(row, now) for row in carried],
            our_hash=_hash(newest.ours), platform_hash=_hash(newest.theirs),
            head=_field(newest.ours, "chainHash"), platform_says=_field(newest.theirs, "chainHash"),
            sign_ins=await sign_in.signed_days(session, [day]),
        )  # fmt: skip


def day_view(row: Statement) -> wire.DayView:
    """One statement."""
    return wire.DayView(
        row.day, row.supplement, row.state.value, row.MACHINE.labels[row.state], row.through, row.events,
        [_difference(one) for one in from_rows(row.differences)], msgspec.convert(row.repairs, list[wire.Repair]), row.exchanged_at, row.closed_at,
    )  # fmt: skip


def _difference(one: Difference) -> wire.DifferenceView:
    record_name = names.kind(one.method) if one.method else ""
    return wire.DifferenceView(
        one.kind, one.text, one.profile, one.method, record_name, one.count, one.numbers, one.replayed
    )


def _day_line(line: counting.MethodDay, row: Statement, entered: PlatformCount | None) -> wire.DayLine:
    by_hand = not profiles.profile(line.profile).states_days
    told = entered.count if entered is not None else None
    if not by_hand and row.theirs:
        told = msgspec.json.decode(row.theirs).get("methods", {}).get(line.method, 0)
    return wire.DayLine(
        line.profile, line.method, names.kind(line.method), line.routed, line.accepted, line.open, line.for_people,
        line.carried_over, line.twice, by_hand, told, entered.duplicates if entered else 0,
        entered.entered_by if entered else "", entered.entered_at if entered else None,
    )  # fmt: skip


def _hash(text: str) -> str:
    return sha256(text.encode()).hex() if text else ""


def _field(text: str, name: str) -> str:
    return str(msgspec.json.decode(text).get(name, "")) if text else ""
