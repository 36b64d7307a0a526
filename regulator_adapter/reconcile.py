"""The day's statement: what happened that day, what of it the platforms have, and where the chain stood."""

from datetime import date, timedelta

import msgspec
from sqlalchemy import func, select

from foundation.clock import local_day_start
from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.states import OPEN, SubmissionState


class MethodDay(msgspec.Struct, frozen=True):
    """One kind of record; `difference` is what the platform does not have."""

    profile: str
    method: str
    routed: int
    accepted: int
    open: int
    for_people: int
    difference: int


class Statement(msgspec.Struct, frozen=True):
    """One calendar day in Shanghai, by when things happened. The day may close when `difference` is 0."""

    day: date
    events: int
    first_number: int
    last_number: int
    head: str
    difference: int
    methods: list[MethodDay]
    carried_over: list[str]


async def reconcile(db: Database, day: date) -> Statement:
    """Counts of `day`. The platforms have no query interface: their page's counts are compared by a person."""
    begin, end = local_day_start(day), local_day_start(day + timedelta(days=1))
    async with unit_of_work(db) as session:
        happened = (ReceivedEvent.occurred_at >= begin, ReceivedEvent.occurred_at < end)
        number = ReceivedEvent.number
        counted = await session.execute(
            select(func.count(), func.min(number), func.max(number)).where(*happened)
        )
        events, first, last = counted.one()
        head = await session.scalar(select(ReceivedEvent.head).where(number == last)) if last else None
        state = Submission.state
        people = (SubmissionState.REJECTED, SubmissionState.PARKED)
        that_day = (Submission.occurred_at >= begin, Submission.occurred_at < end)
        query = (
            select(
                Submission.profile, Submission.method, func.count(),
                func.count().filter(state == SubmissionState.ACCEPTED),
                func.count().filter(state.in_(OPEN)),
                func.count().filter(state.in_(people)),
            )
            .where(*that_day).group_by(Submission.profile, Submission.method)
            .order_by(Submission.profile, Submission.method)
        )  # fmt: skip
        methods = [MethodDay(*row, row[2] - row[3]) for row in await session.execute(query)]
        carried = await session.scalars(
            select(Submission.id).where(*that_day, state.in_(people)).order_by(Submission.number).limit(200)
        )
        carried_over = [str(row_id) for row_id in carried]
    return Statement(
        day=day, events=events, first_number=first or 0, last_number=last or 0, head=head.hex() if head else "",
        difference=sum(line.difference for line in methods), methods=methods, carried_over=carried_over,
    )  # fmt: skip
