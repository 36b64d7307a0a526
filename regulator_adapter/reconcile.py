"""A day at the command line: what happened, what of it the platforms have, and where the chain stood. Asks nobody; `days/` does."""

from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from foundation.db.unit_of_work import Database, unit_of_work
from regulator_adapter.days import counting, opening
from regulator_adapter.days.counting import PEOPLE, MethodDay, Span
from regulator_adapter.model import ReceivedEvent

ALL = 2**62
"""Above every number of the feed."""


class DayFigures(msgspec.Struct, frozen=True):
    """One calendar day in Shanghai, by when things happened. `difference` is what the platforms do not have and nobody carried over;
    `state` is that of the day's newest statement, empty before it has one."""

    day: date
    events: int
    first_number: int
    last_number: int
    head: str
    difference: int
    methods: list[MethodDay]
    waiting: list[UUID]
    carried_over: list[UUID]
    state: str
    supplement: int


async def reconcile(db: Database, day: date) -> DayFigures:
    """Counts of `day`."""
    span = Span(day, ALL)
    async with unit_of_work(db) as session:
        number = ReceivedEvent.number
        counted = await session.execute(
            select(func.count(), func.min(number), func.max(number)).where(*span.of(ReceivedEvent))
        )
        events, first, last = counted.one()
        methods = await counting.by_method(session, span)
        newest = await opening.latest(session, day)
        return DayFigures(
            day=day, events=events, first_number=first or 0, last_number=last or 0,
            head=await counting.head_at(session, last) if last else "",
            difference=sum(one.routed - one.accepted - one.carried_over for one in methods), methods=methods,
            waiting=[row.id for row in await counting.unsettled(session, span, PEOPLE)],
            carried_over=[row.id for row in await counting.unsettled(session, span, PEOPLE, carried=True)],
            state=newest.state.value if newest else "", supplement=newest.supplement if newest else 0,
        )  # fmt: skip
