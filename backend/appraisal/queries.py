"""What was drawn, the report of a round, and the figures of reviews."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appraisal import rules
from backend.appraisal.model import Appraisal, AppraisalRound
from backend.appraisal.states import AppraisalState
from backend.practitioner.model import Practitioner
from backend.prescription.model import PrescriptionRow, Review
from backend.prescription.states import PrescriptionState
from foundation.clock import local_day_start
from foundation.errors import NotFound

COUNTED = (PrescriptionState.APPROVED, PrescriptionState.COMPLETED, PrescriptionState.EXPIRED)
"""What a pharmacist has passed."""


async def passed_in(session: AsyncSession, month: date) -> dict[UUID, list[UUID]]:
    """Ids of prescriptions passed in a month, by prescriber."""
    query = select(PrescriptionRow.prescriber_id, PrescriptionRow.id).where(
        PrescriptionRow.state.in_(COUNTED), PrescriptionRow.reviewed_at >= local_day_start(month),
        PrescriptionRow.reviewed_at < local_day_start(rules.month_after(month)),
    )  # fmt: skip
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for prescriber, prescription in await session.execute(query):
        found[prescriber].append(prescription)
    return found


async def rounds(session: AsyncSession) -> Sequence[AppraisalRound]:
    """Newest first, two years."""
    return (
        await session.scalars(select(AppraisalRound).order_by(AppraisalRound.month.desc()).limit(24))
    ).all()


async def round_of(session: AsyncSession, month: date) -> AppraisalRound | None:
    """The drawing of a month."""
    return await session.scalar(select(AppraisalRound).where(AppraisalRound.month == month))


async def appraisal(session: AsyncSession, appraisal_id: UUID) -> Appraisal:
    """By id; `NotFound`."""
    row = await session.get(Appraisal, appraisal_id)
    if row is None:
        raise NotFound("没有找到该点评")
    return row


async def of_round(session: AsyncSession, round_id: UUID) -> Sequence[Appraisal]:
    """What was drawn, by prescriber."""
    query = select(Appraisal).where(Appraisal.round_id == round_id)
    return (await session.scalars(query.order_by(Appraisal.prescriber_id, Appraisal.id))).all()


@dataclass
class Line:
    """One prescriber in the report of a round."""

    name: str
    drawn: int = 0
    judged: int = 0
    rational: int = 0
    items: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> str:
        """Rational ones of those judged."""
        return rules.percent(self.rational, self.judged)


async def report(session: AsyncSession, round_id: UUID) -> list[Line]:
    """By prescriber: drawn, judged, rational, what was wrong."""
    names = await _names(session)
    lines: dict[UUID, Line] = {}
    for row in await of_round(session, round_id):
        line = lines.setdefault(row.prescriber_id, Line(names.get(row.prescriber_id, "")))
        line.drawn += 1
        if row.state is AppraisalState.JUDGED:
            line.judged += 1
            line.rational += not row.items
            line.items.update(row.items)
    return sorted(lines.values(), key=lambda one: one.name)


async def _names(session: AsyncSession) -> dict[UUID, str]:
    rows = await session.execute(select(Practitioner.id, Practitioner.name))
    return {row.id: row.name for row in rows}


@dataclass
class Figures:
    """Reviews of a period: words, how long they lay (seconds), what was returned and by whom they were given."""

    reviews: int = 0
    returned: int = 0
    confirmed: int = 0
    late: int = 0
    median: int = 0
    ninetieth: int = 0
    by_category: Counter[str] = field(default_factory=Counter)
    by_point: Counter[str] = field(default_factory=Counter)
    by_pharmacist: dict[str, Counter[str]] = field(default_factory=dict)


async def figures(session: AsyncSession, first: date, last: date, late_seconds: int) -> Figures:
    """Of reviews given from `first` to `last`; first words and second ones are counted apart."""
    query = select(Review).where(
        Review.at >= local_day_start(first),
        Review.at < local_day_start(date.fromordinal(last.toordinal() + 1)),
    )
    names, found, waits = await _names(session), Figures(), list[int]()
    for one in await session.scalars(query):
        hers = found.by_pharmacist.setdefault(names.get(one.pharmacist_id, ""), Counter())
        if one.second and one.approved:
            found.confirmed += 1
            hers["confirmed"] += 1
            continue
        found.reviews += 1
        hers["reviews"] += 1
        waits.append(one.waited)
        found.late += one.waited > late_seconds
        if not one.approved:
            found.returned += 1
            hers["returned"] += 1
            found.by_category[one.category] += 1
            if one.point:
                found.by_point[one.point] += 1
    found.median, found.ninetieth = rules.percentile(waits, 50), rules.percentile(waits, 90)
    return found
