"""What our own database says of a day."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Date, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.chain import GENESIS
from foundation.clock import local_day_start
from foundation.db.base import hospital_id
from regulator_adapter.days.rules import Line
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.states import OPEN, SubmissionState

PEOPLE = (SubmissionState.REJECTED, SubmissionState.PARKED)
NAMED = 50
PAGE = 2_000


@dataclass(frozen=True)
class Span:
    """The events of `day`, numbered up to `through`."""

    day: date
    through: int

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """First instant, and the first one after."""
        return local_day_start(self.day), local_day_start(self.day + timedelta(days=1))

    def of(self, model: Any) -> tuple[Any, ...]:
        """Conditions on `ReceivedEvent` or `Submission`."""
        begin, end = self.bounds
        return (
            model.hospital_id == hospital_id(),
            model.occurred_at >= begin,
            model.occurred_at < end,
            model.number <= self.through,
        )


async def arrived_through(session: AsyncSession, start: int = 0) -> int:
    """The highest number below which none is missing; everything up to `start` is known to be there."""
    highest = await session.scalar(
        select(func.max(ReceivedEvent.number)).where(ReceivedEvent.hospital_id == hospital_id())
    )
    gaps = await missing_numbers(session, start, highest or 0, most=1)
    return gaps[0][0] - 1 if gaps else highest or 0


async def missing_numbers(session: AsyncSession, after: int, upto: int, most: int = 100) -> list[list[int]]:
    """`[first, last]` of the runs of numbers that did not arrive, above `after` and up to `upto`."""
    number = ReceivedEvent.number
    before = func.lag(number, 1, after).over(order_by=number)
    inner = (
        select(number.label("number"), before.label("before"))
        .where(ReceivedEvent.hospital_id == hospital_id(), number > after, number <= upto)
        .subquery()
    )
    query = (
        select(inner.c.before + 1, inner.c.number - 1)
        .where(inner.c.number > inner.c.before + 1)
        .order_by(inner.c.number)
        .limit(most)
    )
    found = [[row[0], row[1]] for row in await session.execute(query)]
    highest = await session.scalar(
        select(func.max(number)).where(ReceivedEvent.hospital_id == hospital_id(), number <= upto)
    )
    reached = max(highest or 0, after)
    if reached < upto and len(found) < most:
        found.append([reached + 1, upto])
    return found


async def head_at(session: AsyncSession, number: int) -> str:
    """The chain's head after `number`, hex; zeros before the first; empty when that event is not here."""
    if number == 0:
        return GENESIS.hex()
    query = select(ReceivedEvent.head).where(
        ReceivedEvent.hospital_id == hospital_id(), ReceivedEvent.number == number
    )
    head = await session.scalar(query)
    return head.hex() if head else ""


async def events_of(session: AsyncSession, span: Span) -> int:
    """How many events of the day are here."""
    query = select(func.count()).select_from(ReceivedEvent).where(*span.of(ReceivedEvent))
    return await session.scalar(query) or 0


async def unlinked(session: AsyncSession, span: Span) -> list[int]:
    """Numbers of events that do not follow the one before them."""
    query = (
        select(ReceivedEvent.number)
        .where(*span.of(ReceivedEvent), ReceivedEvent.linked.is_not(True))
        .order_by(ReceivedEvent.number)
        .limit(NAMED)
    )
    return list(await session.scalars(query))


async def lacking_records(session: AsyncSession, *which: ColumnElement[bool]) -> list[int]:
    """Numbers of events, of those in `which`, that have not as many records as they became on arrival."""
    event = ReceivedEvent
    query = (
        select(event.number)
        .outerjoin(Submission, Submission.event_id == event.event_id)
        .where(*which, event.records.is_not(None))
        .group_by(event.number, event.records)
        .having(func.count(Submission.id) < event.records)
        .order_by(event.number)
        .limit(NAMED)
    )
    return list(await session.scalars(query))


async def later_than(session: AsyncSession, span: Span, upto: int) -> int:
    """Events of the day between `through` and `upto`: nobody has vouched for them yet."""
    begin, end = span.bounds
    query = select(func.count()).select_from(ReceivedEvent).where(
        ReceivedEvent.hospital_id == hospital_id(),
        ReceivedEvent.number > span.through,
        ReceivedEvent.number <= upto,
        ReceivedEvent.occurred_at >= begin,
        ReceivedEvent.occurred_at < end,
    )  # fmt: skip
    return await session.scalar(query) or 0


class MethodDay(msgspec.Struct, frozen=True):
    """One kind of record of one day: how many there are, and where they stand; `twice` may be at the platform two times."""

    profile: str
    method: str
    routed: int
    accepted: int
    open: int
    for_people: int
    carried_over: int
    twice: int


async def by_method(session: AsyncSession, span: Span) -> list[MethodDay]:
    """Every kind of record of the day."""
    state = Submission.state
    people = state.in_(PEOPLE)
    query = (
        select(
            Submission.profile,
            Submission.method,
            func.count(),
            func.count().filter(state == SubmissionState.ACCEPTED),
            func.count().filter(state.in_(OPEN)),
            func.count().filter(people & Submission.carried_at.is_(None)),
            func.count().filter(people & Submission.carried_at.is_not(None)),
            func.count().filter(Submission.ambiguous > 0),
        )
        .where(*span.of(Submission))
        .group_by(Submission.profile, Submission.method)
        .order_by(Submission.profile, Submission.method)
    )
    return [MethodDay(*row) for row in await session.execute(query)]


async def unsettled(
    session: AsyncSession, span: Span, states: Sequence[SubmissionState], *, carried: bool = False
) -> Sequence[Submission]:
    """Records of the day in one of `states`, the first fifty; `carried`: those that a person carried over."""
    wanted = Submission.carried_at.is_not(None) if carried else Submission.carried_at.is_(None)
    query = (
        select(Submission)
        .where(*span.of(Submission), Submission.state.in_(states), wanted)
        .order_by(Submission.number, Submission.id)
        .limit(NAMED if not carried else None)
    )
    return (await session.scalars(query)).all()


async def lines(session: AsyncSession, span: Span, profile: str) -> AsyncIterator[Line]:
    """Records of the day that `profile` accepted, in the order in which `rules.Fold` takes them, each once."""
    query = (
        select(
            ReceivedEvent.stream, ReceivedEvent.sequence, Submission.method, ReceivedEvent.number, ReceivedEvent.digest, Submission.receipt
        )
        .join(ReceivedEvent, ReceivedEvent.event_id == Submission.event_id)
        .where(
            *span.of(Submission), Submission.profile == profile, Submission.state == SubmissionState.ACCEPTED
        )
        .order_by(
            ReceivedEvent.stream.collate("C"), ReceivedEvent.sequence, Submission.method.collate("C")
        )
        .execution_options(yield_per=PAGE)
    )  # fmt: skip
    last: Line | None = None
    result = await session.stream(query)
    async for page in result.partitions(PAGE):
        for row in page:
            line = Line(*row)
            if line != last:
                yield line
            last = line


async def last_numbers(session: AsyncSession, after: int, before: date) -> dict[date, int]:
    """The highest number of each day earlier than `before`, of events numbered above `after`."""
    day = cast(func.timezone("Asia/Shanghai", ReceivedEvent.occurred_at), Date)
    query = (
        select(day, func.max(ReceivedEvent.number))
        .where(
            ReceivedEvent.hospital_id == hospital_id(),
            ReceivedEvent.number > after,
            ReceivedEvent.occurred_at < local_day_start(before),
        )
        .group_by(day)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def first_number_from(session: AsyncSession, after: int, day: date) -> int | None:
    """The lowest number above `after` of an event of `day` or later; None without one."""
    query = select(func.min(ReceivedEvent.number)).where(
        ReceivedEvent.hospital_id == hospital_id(),
        ReceivedEvent.number > after,
        ReceivedEvent.occurred_at >= local_day_start(day),
    )
    return await session.scalar(query)
